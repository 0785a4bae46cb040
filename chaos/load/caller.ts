// What every kind of call is made with: it writes down what is asked for, and what comes of it.
import { KitchenError, type Client, type Job } from "kitchensink";
import type { Dice } from "../dice.ts";
import type { Expectation, Journal, Mark, Seen } from "../journal.ts";
import type { Marked } from "./mark.ts";

export interface Kind {
  readonly name: string;
  /** How many of a thousand calls are of this kind. */
  readonly weight: number;
  readonly begin: (caller: Caller) => void | Promise<void>;
}

export interface CallerOptions {
  readonly kind: string;
  readonly client: Client;
  readonly url: string;
  readonly token: string;
  readonly dice: Dice;
  readonly journal: Journal;
  readonly begun: string;
  /** Something is under way until this settles. */
  readonly hold: (underWay: Promise<unknown>) => void;
  /** Its node has it, when it answers for the last of this turn. */
  readonly submitted: (job: Job<unknown>) => void;
}

/** What is done when a job's end has been seen. */
type AfterEnd = (seen: Seen) => void | Promise<void>;

export class Caller {
  readonly options: CallerOptions;

  constructor(options: CallerOptions) {
    this.options = options;
  }

  get client(): Client {
    return this.options.client;
  }

  get dice(): Dice {
    return this.options.dice;
  }

  /** The log for `begin`. */
  get log(): string {
    return this.options.begun;
  }

  /** Waits for a job, and writes down what came. */
  follow(job: Job<unknown>, expect: Expectation, afterEnd: AfterEnd = () => {}): void {
    this.made(job.id, expect);
    if (expect.isInstant !== true) this.options.submitted(job);
    this.options.hold(this.#watch(job, afterEnd));
  }

  /** Makes a job that nobody waits for here. */
  leave(job: Job<unknown>, expect: Expectation): void {
    this.made(job.id, expect, true);
    this.options.submitted(job);
  }

  made(id: string, expect: Expectation, isLeft = false): void {
    const { journal, kind } = this.options;
    journal.write({ type: "made", id, kind, expect, isLeft });
  }

  seen(id: string, seen: Seen): void {
    this.options.journal.write({ type: "seen", id, seen });
  }

  wrong(what: "result" | "output" | "items" | "data", id: string, detail: string): void {
    this.options.journal.write({ type: "wrong", what, id, detail });
  }

  count(what: string, by = 1): void {
    this.options.journal.write({ type: "count", what, by });
  }

  async #watch(job: Job<unknown>, afterEnd: AfterEnd): Promise<void> {
    const seen = await job.then((value) => valueSeen(value as Marked), errorSeen);
    this.seen(job.id, seen);
    await afterEnd(seen);
  }
}

function valueSeen({ mark, value }: Marked): Seen {
  return { type: "value", mark, value };
}

export function errorSeen(error: unknown): Seen {
  if (!(error instanceof Error))
    return { type: "error", name: typeof error, code: null, message: String(error), mark: null };
  const code = error instanceof KitchenError ? error.code : null;
  const mark = "mark" in error ? (error.mark as Mark) : null;
  return { type: "error", name: error.name, code, message: error.message, mark };
}

/** The code of an error of Kitchen Sink; undefined for any other. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof KitchenError ? error.code : undefined;
}
