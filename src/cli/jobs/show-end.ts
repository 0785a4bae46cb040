import { inspect } from "node:util";
import type { Job } from "../../client/jobs/job.ts";
import { RemoteItems } from "../../client/jobs/remote-items.ts";
import { KitchenError } from "../../core/errors.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { complain, note, type Session } from "../session.ts";
import { lineEnd } from "./own-lines.ts";
import { facts, shown } from "./show-value.ts";

/** Prints what a job came to, a generator's items as they come. Gives the exit code. */
export async function showEnd(job: Job<unknown>, session: Session): Promise<number> {
  const { id } = job;
  const { tell, signal } = session;
  try {
    const value = await job;
    if (!(value instanceof RemoteItems)) await tell(lineEnd() + shown(value), [{ id, ...facts(value) }]);
    else
      for await (const item of value) await tell(lineEnd() + shown(item), [{ id, ...facts(item, "item") }]);
    return EXIT.done;
  } catch (error) {
    signal.throwIfAborted();
    return await showFailure(error, { id, session });
  }
}

interface Failed {
  readonly id: string;
  readonly session: Session;
}

async function showFailure(error: unknown, { id, session }: Failed): Promise<number> {
  const isOwn = error instanceof KitchenError;
  if (error instanceof Error) dropOwnFrames(error, id);
  if (isOwn) complain(error);
  else note(inspect(error, { colors: process.stderr.isTTY && process.stderr.hasColors() }));
  await session.tell("", [{ id, error: described(error) }]);
  return exitCodeOf(error, isOwn ? EXIT.failed : EXIT.jobFailed);
}

/** Behind the remote frames are those of this program, which tell nothing. */
function dropOwnFrames(error: Error, id: string): void {
  const lines = error.stack?.split("\n") ?? [];
  const last = lines.findLastIndex((line) => line.includes(`(job ${id})`));
  if (last >= 0) error.stack = lines.slice(0, last + 1).join("\n");
}

function described(error: unknown): object {
  if (!(error instanceof Error)) return facts(error, "thrown");
  const { name, message, stack } = error;
  return { name, message, ...(error instanceof KitchenError ? { code: error.code } : { stack }) };
}
