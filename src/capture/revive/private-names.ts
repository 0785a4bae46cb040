import type { Homecoming } from "../home/homecoming.ts";
import { makeStamped, setPrivateFields, stamp } from "./stamping.ts";

/** Gives objects the private names of classes, be they this process's own or made here of their text. */
export class PrivateNames {
  readonly #home: Homecoming;

  constructor(home: Homecoming) {
    this.#home = home;
  }

  /** An object with the private names of some classes, the base class first; undefined when there are none. */
  make([base, ...others]: readonly object[]): object | undefined {
    if (base === undefined) return undefined;
    const isBase = this.#extendsNothing(base);
    const object = isBase ? this.#make(base) : {};
    for (const klass of isBase ? others : [base, ...others]) this.#stamp(klass, object);
    clear(object);
    return object;
  }

  /** Puts the private names of classes on an object that is there already. */
  stamp(classes: readonly object[], target: object): void {
    for (const klass of classes) this.#stamp(klass, target);
    if (classes.length > 0) clear(target);
  }

  setFields(klass: object, target: object, values: readonly unknown[]): void {
    const own = this.#home.instancesOf(klass);
    if (own === undefined) setPrivateFields(klass, target, values);
    else own.setFields(target, values);
  }

  #extendsNothing(klass: object): boolean {
    const own = this.#home.instancesOf(klass);
    return own === undefined ? Object.getPrototypeOf(klass) === Function.prototype : !own.isDerived;
  }

  #make(klass: object): object {
    return this.#home.instancesOf(klass)?.make() ?? makeStamped(klass);
  }

  #stamp(klass: object, target: object): void {
    const own = this.#home.instancesOf(klass);
    if (own === undefined) stamp(klass, target);
    else own.stamp(target);
  }
}

/** Public fields of the classes are among the properties that come with the object. */
function clear(object: object): void {
  for (const key of Reflect.ownKeys(object))
    if (Reflect.getOwnPropertyDescriptor(object, key)?.configurable === true)
      Reflect.deleteProperty(object, key);
}
