/** Has what is done for one key happen one after the other. */
export class Turns<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  take<R>(key: K, work: () => Promise<R>): Promise<R> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(work);
    const ended = turn.then(
      () => {},
      () => {},
    );
    this.#last.set(key, ended);
    void ended.then(() => {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    });
    return turn;
  }

  async settle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
