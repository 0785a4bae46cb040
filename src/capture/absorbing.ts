/** Absorbs everything that is done with it, so that a function called with it runs no default of a parameter. */
const absorbing: object = new Proxy(function () {}, {
  get: (target, key) => {
    if (key === Symbol.iterator) return endless;
    if (key === Symbol.toPrimitive) return () => "";
    return key === "prototype" ? Reflect.get(target, key) : absorbing;
  },
  apply: () => absorbing,
  construct: () => absorbing,
  has: () => true,
});

function* endless(): Generator {
  for (;;) yield absorbing;
}

/** More parameters with defaults than a function is likely to have; its `length` does not count them. */
const SPARE = 32;

/** Arguments with which `fn` can be called, whatever it takes apart. */
export function absorbingArguments(fn: object): object[] {
  return Array.from({ length: (fn as { length: number }).length + SPARE }, () => absorbing);
}
