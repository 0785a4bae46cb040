// What clients and workers write down while it happens, a line of JSON each, so that whoever is killed loses none of it.
import { appendFileSync } from "node:fs";

/** What a run of a job says first; it comes back with its result, so that results can be told apart. */
export interface Mark {
  readonly id: string;
  readonly attempt: number;
  readonly nonce: string;
}

/** A line of the log of begun attempts. */
export interface Begun extends Mark {
  /** ms since the epoch, as all times here. */
  readonly at: number;
  readonly node: string;
  readonly pid: number;
}

/** What may become of a job. */
export interface Expectation {
  /** What it returns, beside its mark; absent when it never returns. */
  readonly value?: unknown;
  /** Its value cannot be read a second time: the items of a generator. */
  readonly isStream?: true;
  /** The class that it throws. */
  readonly throws?: string;
  /** Codes that it may fail with, beside those that any job may. */
  readonly codes?: readonly string[];
  /** It ends its own process, so that one death is enough. */
  readonly exits?: true;
  readonly mayBeCancelled?: true;
  /** The store never hears of it. */
  readonly isInstant?: true;
}

/** What somebody who waited for a job got. */
export type Seen =
  | { readonly type: "value"; readonly mark: Mark; readonly value: unknown }
  | { readonly type: "items"; readonly count: number }
  | {
      readonly type: "error";
      readonly name: string;
      readonly code: string | null;
      readonly message: string;
      readonly mark: Mark | null;
    };

export type Line =
  | {
      readonly type: "made";
      readonly id: string;
      readonly kind: string;
      readonly expect: Expectation;
      /** Nobody waits for it. */
      readonly isLeft?: boolean;
    }
  /** The cluster has said that it has them. */
  | { readonly type: "taken"; readonly ids: readonly string[] }
  | { readonly type: "seen"; readonly id: string; readonly seen: Seen }
  | { readonly type: "cancel"; readonly id: string }
  /** The cluster has said that it has these data, or that it has deleted them. */
  | { readonly type: "saved"; readonly url: string; readonly sha256: string }
  | { readonly type: "deleting"; readonly url: string }
  | { readonly type: "deleted"; readonly url: string }
  | { readonly type: "wrong"; readonly what: Wrong; readonly id: string; readonly detail: string }
  | { readonly type: "count"; readonly what: string; readonly by: number };

export type Wrong = "result" | "output" | "items" | "data";

export type Entry = Line & { readonly at: number };

/** What is counted of requests that make jobs whose ids come with the answer. */
export const UNANSWERED = "queued by name, without an answer";

export class Journal {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  write(line: Line): void {
    appendFileSync(this.#file, `${JSON.stringify({ at: Date.now(), ...line })}\n`);
  }
}
