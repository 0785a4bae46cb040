import { messageOf } from "../../core/errors.ts";
import type { TrackedJob } from "../jobs/tracked-job.ts";

/** Something that waits for jobs. */
export interface Interruptible {
  /** How many jobs it waits for. */
  readonly waiting: number;
  /** Those of them that it submitted, which Ctrl-C cancels: others are not this program's to end. */
  readonly own: readonly TrackedJob[];
}

/** A listener stays for this long after the last wait, so that calls one after the other do not pay for theirs. */
const LINGER_MS = 100;

/**
 * Ctrl-C while the program waits for jobs that it submitted: the first cancels them, so that the program goes on where it
 * awaits, with `KS_CANCELLED`; another one, before all of these have ended, ends it as if nobody listened. While none is
 * waited for, nothing is intercepted.
 */
class Interrupts {
  readonly #waiting = new Set<Interruptible>();
  /** What the first one cancelled and has not ended yet. */
  readonly #cancelling = new Set<TrackedJob>();
  #isListening = false;
  #isLingering = false;

  begin(who: Interruptible): void {
    this.#waiting.add(who);
    if (this.#isListening) return;
    this.#isListening = true;
    // Before the program's own listeners, which would be gone when they listen once.
    process.prependListener("SIGINT", this.#onSignal);
  }

  end(who: Interruptible): void {
    if (!this.#waiting.delete(who) || this.#waiting.size > 0 || this.#isLingering) return;
    this.#isLingering = true;
    setTimeout(() => {
      this.#isLingering = false;
      if (this.#waiting.size === 0) this.#stopListening();
    }, LINGER_MS).unref();
  }

  readonly #onSignal = (): void => {
    const waiting = [...this.#waiting].reduce((sum, who) => sum + who.waiting, 0);
    const own = [...this.#waiting].map((who) => who.own).filter((jobs) => jobs.length > 0);
    if (own.length === 0 || this.#cancelling.size > 0) return this.#leave();
    const what = toCancel(own.flat().length, waiting);
    process.stderr.write(`\nCancelling ${what} (Ctrl-C again to leave)\n`);
    for (const jobs of own) void this.#cancel(jobs);
  };

  /** Never rejects: of what could not be cancelled, whoever pressed the keys is told. */
  async #cancel(jobs: readonly TrackedJob[]): Promise<void> {
    for (const job of jobs) {
      this.#cancelling.add(job);
      void job.ended.then(() => this.#cancelling.delete(job));
    }
    const replies = await Promise.allSettled(jobs.map((job) => job.line.cancel(job, "Ctrl-C")));
    const failed = replies.filter((reply, at) => reply.status === "rejected" && jobs[at]?.end === undefined);
    const [first] = failed;
    if (first?.status !== "rejected") return;
    const [what, goOn] = failed.length === 1 ? ["the job", "it goes"] : [`${failed.length} jobs`, "they go"];
    const why = messageOf(first.reason);
    process.stderr.write(`Cannot cancel ${what}, ${goOn} on: ${why} (Ctrl-C again to leave)\n`);
  }

  /** What would happen without this listener: others, who have the signal too, decide; or the process ends. */
  #leave(): void {
    this.#stopListening();
    if (process.listenerCount("SIGINT") === 0) process.kill(process.pid, "SIGINT");
  }

  #stopListening(): void {
    this.#isListening = false;
    process.off("SIGINT", this.#onSignal);
  }
}

/** `own` of the jobs that are waited for, in words. */
function toCancel(own: number, waiting: number): string {
  const others = waiting - own;
  if (others === 0) return own === 1 ? "the job" : `${own} jobs`;
  const [jobs, goOn] = [own === 1 ? "the job" : `the ${own} jobs`, others === 1 ? "other goes" : "others go"];
  return `${jobs} that this program submitted; ${others} ${goOn} on`;
}

/** Those of this process. */
export const interrupts: Interrupts = new Interrupts();
