const MANY = 64;

/** Absorbs everything that is done with it, and is never undefined, so that no default of a parameter runs. */
export const standIn: object = new Proxy(function () {}, {
  get: (target, key) => {
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
