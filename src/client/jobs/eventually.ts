/** A value that comes once. The promise for it is made when somebody first asks: of most values nobody does. */
export class Eventually<T> {
  #value: T | undefined;
  #promise: Promise<T> | undefined;
  #resolve: ((value: T) => void) | undefined;

  constructor(value?: T) {
    this.#value = value;
  }

  /** What comes after the first value is ignored. */
  set(value: T): void {
    if (this.#value !== undefined) return;
    this.#value = value;
    this.#resolve?.(value);
  }

  get promise(): Promise<T> {
    return (this.#promise ??=
      this.#value === undefined
        ? new Promise((resolve) => {
            this.#resolve = resolve;
          })
        : Promise.resolve(this.#value));
  }
}
