/** Something that waits for jobs, which Ctrl-C cancels. */
export interface Interruptible {
  /** How many jobs it waits for. */
  readonly waiting: number;
  cancelAll(reason: string): Promise<unknown>;
}

/** A listener stays for this long after the last wait, so that calls one after the other do not pay for theirs. */
const LINGER_MS = 100;

/**
 * Ctrl-C while the program waits for jobs: the first cancels them, so that the program goes on where it awaits, with
 * `KS_CANCELLED`; the second ends it as if nobody listened. While nothing is waited for, nobody listens.
 */
class Interrupts {
  readonly #waiting = new Set<Interruptible>();
  #isListening = false;
  #hasCancelled = false;
  #isLingering = false;

  begin(who: Interruptible): void {
    this.#waiting.add(who);
    if (this.#isListening) return;
    this.#isListening = true;
    this.#hasCancelled = false;
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
    const jobs = [...this.#waiting].reduce((sum, { waiting }) => sum + waiting, 0);
    if (jobs === 0 || this.#hasCancelled) return this.#leave();
    this.#hasCancelled = true;
    process.stderr.write(`\nCancelling ${jobs === 1 ? "the job" : `${jobs} jobs`} (Ctrl-C again to leave)\n`);
    for (const who of this.#waiting) who.cancelAll("Ctrl-C").catch(() => {});
  };

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

/** Those of this process. */
export const interrupts: Interrupts = new Interrupts();
