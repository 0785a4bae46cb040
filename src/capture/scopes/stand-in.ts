const MANY = 64;

let given: unknown;

/** Text that, evaluated in a function that got {@link standIns}, hands over what an expression means there. */
export function giving(expression: string): string {
  return `arguments[0].$ks_give(${expression})`;
}

/** What was handed over; a value of another vm context cannot be had through the inspector. */
export function takeGiven(): unknown {
  const value = given;
  given = undefined;
  return value;
}

function give(value: unknown): void {
  given = value;
}

/** Absorbs everything that is done with it, and is never undefined, so that no default of a parameter runs. */
export const standIn: object = new Proxy(function () {}, {
  get: (target, key) => {
    if (key === "$ks_give") return give;
    if (key === Symbol.iterator) return () => standIns[Symbol.iterator]();
    if (key === Symbol.toPrimitive) return () => "";
    return key === "prototype" ? Reflect.get(target, key) : standIn;
  },
  apply: () => standIn,
  construct: () => standIn,
  has: () => true,
});

/** Arguments for any function. */
export const standIns: readonly object[] = Array.from({ length: MANY }, () => standIn);
