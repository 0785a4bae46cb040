import { type Collection, hasKey, isCollection } from "../walk/collections.ts";
import { environmentOf } from "../revive/environments.ts";
import { importedVariable, type ModuleVariable } from "./module-exports.ts";
import { isOfModule, moduleVariables } from "./module-scopes.ts";
import { rememberSent, rememberWindow } from "./own-variables.ts";
import { type Surroundings, surroundingsOf } from "../scopes/scopes.ts";
import {
  commonJsModules,
  goesAsSource,
  isSourceKnown,
  ownSource,
  type SourceModule,
  sourceAs,
  sourceModule,
} from "./source-modules.ts";
import { exportsOf, type Identity, isClass, isIdentity, type Variable, variableOf } from "./source-values.ts";

/** What a value is in a module that goes as source: a variable, or a member of one of its classes. */
export type Binding =
  | Variable
  | {
      readonly owner: object;
      readonly isStatic: boolean;
      readonly key: string | symbol;
      readonly part: Part;
    };
type Part = "value" | "get" | "set";

/** The module in whose top level a function has to be made again, and which names it has from there. */
export interface Home {
  readonly module: SourceModule;
  readonly has: (name: string) => boolean;
  /** The function stands in the module's own text, so that it shows the module's variables. */
  readonly isInside: boolean;
}

/** The modules that one capture sends as source. */
export class Sources {
  readonly isAll: boolean;
  readonly #bindings = new Map<Identity, Binding>();
  /** A function of each module that was met. */
  readonly #met = new Map<SourceModule, object>();
  readonly #around = new Map<object, Surroundings>();
  readonly #imported: [Variable, value: unknown][] = [];
  /** Collections at the top level of modules, in which they may keep what belongs to an object. */
  readonly #collections: Collection[] = [];
  #knowsExports = false;

  /** Undefined when no module goes as source. */
  static of(isAll: boolean): Sources | undefined {
    return isAll || isSourceKnown() ? new Sources(isAll) : undefined;
  }

  constructor(isAll: boolean) {
    this.isAll = isAll;
  }

  /** For another try that knows from the start what this one learned. */
  again(): Sources {
    const next = new Sources(this.isAll);
    for (const [module, fn] of this.#met) next.meet(module, fn);
    for (const [variable, value] of this.#imported) next.bind(variable, value);
    return next;
  }

  /** Learns what the script of a function imports; true when that is anything new. */
  lookAround(fn: object): boolean {
    const { scriptId, scopes } = this.around(fn);
    const variables = scopes.find(({ kind }) => kind === "module")?.variables ?? {};
    let isNew = false;
    for (const name of Object.keys(variables)) {
      const variable = this.imported(scriptId, name);
      if (variable === undefined) continue;
      const value: unknown = valueOf(variables, name);
      if (this.bindImported(variable, value).length > 0) isNew = true;
      if (typeof value !== "function") continue;
      const home = this.homeOf(value);
      if (home?.isInside === true && this.meet(home.module, value).length > 0) isNew = true;
    }
    return isNew;
  }

  binding(value: Identity): Binding | undefined {
    if (!this.#knowsExports) this.#bindExports();
    return this.#bindings.get(value);
  }

  /** What surrounds a function, read once for the capture. */
  around(fn: object): Surroundings {
    const around = this.#around.get(fn) ?? surroundingsOf(fn);
    this.#around.set(fn, around);
    return around;
  }

  /** @throws ModuleRefusal */
  homeOf(fn: object): Home | undefined {
    const environment = environmentOf(fn);
    if (environment !== undefined) {
      const module = sourceAs(environment.ref);
      const has = (name: string): boolean =>
        !environment.inner.has(name) && module?.text.names.has(name) === true;
      return module && { module, has, isInside: false };
    }
    const around = this.around(fn);
    const module = sourceModule(around.scriptId, this.isAll);
    return module && { module, has: (name) => isOfModule(around, module.text, name), isInside: true };
  }

  /** Learns what the values of a module are. Gives those that were not known. */
  meet(module: SourceModule, fn: object): readonly Identity[] {
    if (this.#met.has(module)) return [];
    this.#met.set(module, fn);
    if (module.own !== undefined) rememberWindow(module.own, fn);
    const learned: Identity[] = [];
    for (const [name, value] of moduleVariables(this.around(fn), module.text)) {
      if (isCollection(value)) this.#collections.push(value);
      const variable = variableOf(module, name);
      if (variable !== undefined) learned.push(...this.bind(variable, value));
    }
    for (const [name, value] of exportsOf(module)) learned.push(...this.bind({ module, name }, value));
    return learned;
  }

  /** Lets `value` go as the variable of a module that it is. */
  bind({ module, name }: Variable, value: unknown): readonly Identity[] {
    if (!isIdentity(value) || this.#bindings.has(value) || module.text.changing.has(name)) return [];
    // What a result holds is meant as it is where it was made, and the caller's own object has another state.
    if (module.came !== undefined && typeof value === "object" && name !== "*") return [];
    this.#bindings.set(value, { module, name });
    if (module.own !== undefined) rememberSent(module.own, name, value);
    return [value, ...(isClass(value) ? this.#bindMembers(value) : [])];
  }

  /** The same for what a function outside of the module imports from it. */
  bindImported(variable: Variable, value: unknown): readonly Identity[] {
    const learned = this.bind(variable, value);
    if (learned.length > 0) this.#imported.push([variable, value]);
    return learned;
  }

  /** Whether a module keeps something about an object, which is not there when the module is evaluated anew. */
  keepsStateOf(value: object): boolean {
    return this.#collections.some((collection) => hasKey(collection, value));
  }

  /** What CommonJS modules export can be told by identity alone. */
  #bindExports(): void {
    this.#knowsExports = true;
    for (const module of commonJsModules(this.isAll))
      for (const [name, value] of exportsOf(module)) this.bind({ module, name }, value);
  }

  /** What a variable is that a function outside imports from a module which goes as source. */
  imported(scriptId: string, name: string): Variable | undefined {
    const variable = importedVariable(scriptId, name);
    return variable && this.#going(variable);
  }

  #going({ module, name }: ModuleVariable): Variable | undefined {
    return goesAsSource(module, this.isAll) ? { module: ownSource(module), name } : undefined;
  }

  *#bindMembers(klass: object): Iterable<Identity> {
    const text = Function.prototype.toString.call(klass);
    for (const isStatic of [true, false]) {
      const holder = isStatic ? klass : (klass as { prototype: object }).prototype;
      for (const key of Reflect.ownKeys(holder)) {
        const descriptor = Reflect.getOwnPropertyDescriptor(holder, key);
        for (const part of ["value", "get", "set"] as const) {
          const fn = descriptor?.[part] as unknown;
          // What was put on the class later is not there when the module is evaluated anew.
          if (typeof fn !== "function" || fn === klass || this.#bindings.has(fn)) continue;
          if (!text.includes(Function.prototype.toString.call(fn))) continue;
          this.#bindings.set(fn, { owner: klass, isStatic, key, part });
          yield fn;
        }
      }
    }
  }
}

function valueOf(variables: Readonly<Record<string, unknown>>, name: string): unknown {
  try {
    return variables[name];
  } catch {
    // It has no value yet.
    return undefined;
  }
}
