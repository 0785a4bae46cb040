import { standIns } from "../scopes/stand-in.ts";

type SetFields = (target: object, values: readonly unknown[]) => void;
type SetStatics = (values: readonly unknown[]) => void;

/** What the text of a revived class refers to as `$ks`. */
export const classSupport: {
  /** The class that the class being defined extends. */
  parent: unknown;
  keys: readonly unknown[];
  /** While true, constructors of revived classes do nothing but put on private names. */
  stamping: boolean;
  readonly descriptor: typeof Reflect.getOwnPropertyDescriptor;
  readonly register: (
    klass: object,
    setFields: SetFields,
    setStatics: SetStatics,
    embedded: readonly unknown[],
  ) => void;
} = { parent: undefined, keys: [], stamping: false, descriptor: Reflect.getOwnPropertyDescriptor, register };

const setters = new WeakMap<
  object,
  { setFields: SetFields; setStatics: SetStatics; embedded: readonly unknown[] }
>();

function register(
  klass: object,
  setFields: SetFields,
  setStatics: SetStatics,
  embedded: readonly unknown[],
): void {
  setters.set(klass, { setFields, setStatics, embedded });
}

/** What makes the functions that use private names of a class without being members. */
export function embeddedIn(klass: object): readonly unknown[] {
  return setters.get(klass)?.embedded ?? [];
}

export function setPrivateStatics(klass: object, values: readonly unknown[]): void {
  setters.get(klass)?.setStatics(values);
}

export function setPrivateFields(klass: object, target: object, values: readonly unknown[]): void {
  setters.get(klass)?.setFields(target, values);
}

/** A new object with the private names of a class that extends nothing. Its constructor does not run. */
export function makeStamped(klass: object): object {
  return withStamping(() => construct(klass));
}

/**
 * Puts the private names of a class that extends another on `target`, by making the class believe for a moment that
 * its parent returns that object.
 */
export function stamp(klass: object, target: object): void {
  const parent: unknown = Object.getPrototypeOf(klass);
  Object.setPrototypeOf(klass, function () {
    return target;
  });
  try {
    withStamping(() => construct(klass));
  } finally {
    Object.setPrototypeOf(klass, parent as object);
  }
}

/** The constructor's body does nothing now, but its parameters are taken apart. */
function construct(klass: object): object {
  return Reflect.construct(klass as new () => object, standIns) as object;
}

function withStamping(make: () => object): object {
  classSupport.stamping = true;
  try {
    return make();
  } finally {
    classSupport.stamping = false;
  }
}
