import type { Debugger } from "node:inspector";
import { analyse } from "../source/analyse.ts";
import { embeddedFactory, type MemberFactory } from "../revive/compile.ts";
import { type Construction, constructionOf } from "./construction.ts";
import { evaluateInside, type Insides, insidesOf, lookInside } from "./insides.ts";
import { reasonNotToProbe } from "../scopes/probe.ts";
import { construct, constructAndLeave, unfinished, withParent } from "./unfinished.ts";
import type { FunctionCode } from "../wire/units.ts";
import { cannotDecode } from "../wire/wire.ts";

/** Makes instances of a class of this process. Its constructor does not run, only what puts on its fields. */
export class OwnInstances {
  readonly #klass: object;
  readonly #construction: Construction;
  readonly #insides: Insides;

  constructor(klass: object, construction: Construction) {
    this.#klass = klass;
    this.#construction = construction;
    this.#insides = insidesOf(klass);
  }

  /** Undefined when that may do more than make instances, or cannot be looked at. */
  static of(klass: object): OwnInstances | undefined {
    const construction = constructionOf(klass);
    if (construction === undefined) return undefined;
    const instances = new OwnInstances(klass, construction);
    return instances.#canLook() ? instances : undefined;
  }

  get isDerived(): boolean {
    return this.#construction.isDerived;
  }

  /** Where a breakpoint that leaves the constructor has to be while instances are made. */
  get exit(): Debugger.Location | undefined {
    return this.#construction.mustLeave ? this.#insides.exit : undefined;
  }

  /** Names of public fields that the constructor sets although it is not left. */
  get assigned(): readonly string[] {
    return this.#construction.assigned;
  }

  /** Whether making an instance works. */
  isSound(): boolean {
    return this.#insides.access?.isComplete(this.sample()) ?? true;
  }

  /** An instance of this class alone, whatever it extends. */
  sample(): object {
    if (!this.isDerived) return this.make();
    const instance = {};
    this.stamp(instance);
    return instance;
  }

  /** For a class that extends nothing. */
  make(): object {
    const instance = this.#construction.mustLeave ? constructAndLeave(this.#klass) : construct(this.#klass);
    if (instance === undefined) throw cannotDecode("an instance of a class of this process cannot be made");
    return instance;
  }

  /** Puts the private names of a class that extends another on `target`. */
  stamp(target: object): void {
    Object.setPrototypeOf(target, unfinished);
    withParent(
      this.#klass,
      () => target,
      () => this.make(),
    );
  }

  setFields(target: object, values: readonly unknown[]): void {
    this.#insides.access?.setFields(target, values);
  }

  /** What makes a function that uses private names; undefined where it cannot be evaluated inside of the class. */
  embed(code: FunctionCode): MemberFactory | undefined {
    if (reasonNotToProbe() !== undefined) return undefined;
    const names = [...analyse(code.source).free.keys()];
    return embeddedFactory(code, (text) => evaluateInside(this.#klass, this.#construction, { text, names }));
  }

  #canLook(): boolean {
    const { mustLeave, privateFields } = this.#construction;
    const hasAll = (): boolean =>
      (privateFields.length === 0 || this.#insides.access !== undefined) &&
      (!mustLeave || this.#insides.exit !== undefined);
    if (hasAll() && !mustLeave) return true;
    if (reasonNotToProbe() !== undefined) return false;
    if (!hasAll()) lookInside(this.#klass, this.#construction);
    return hasAll();
  }
}
