import type { ThreadFailure } from "./thread/messages.ts";

/** A failure that the thread told of. */
export class ThreadError extends Error {
  readonly failure: ThreadFailure;

  constructor(failure: ThreadFailure) {
    super("message" in failure ? failure.message : failure.type);
    this.failure = failure;
  }
}
