/** A local module of the program: what is used of it travels along. */
export class Priced {
  readonly name: string;
  readonly #price: number;

  constructor(name: string, price: number) {
    this.name = name;
    this.#price = price;
  }

  price(): number {
    return this.#price;
  }
}

let tax = 0.5;

export const taxed = (amount: number): number => amount * (1 + tax);
export const setTax = (next: number): void => {
  tax = next;
};
