import { KitchenError } from "../../core/errors.ts";
import type { NamespaceInfo } from "../../core/messages.ts";
import { isNamespace, type AnyFunction } from "../functions.ts";

const DEFAULT_NAMESPACE = "default";

interface Registered {
  readonly functions: Map<string, AnyFunction>;
  isArbitraryAllowed: boolean;
}

/** The functions that modules registered, by namespace and name: Maps, so that `constructor` names nothing. */
export class Registry {
  readonly #namespaces = new Map<string, Registered>();

  /** Registers what a module exports: functions in `default`, namespaces under their own names. */
  addModule(exports: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(exports)) {
      if (isNamespace(value)) {
        for (const [key, fn] of Object.entries(value.functions)) this.#add(value.name, key, fn);
        if (!value.isArbitraryAllowed) this.#namespace(value.name).isArbitraryAllowed = false;
      } else if (typeof value === "function" && !isClass(value)) {
        this.#add(DEFAULT_NAMESPACE, name === "default" ? value.name : name, value as AnyFunction);
      }
    }
  }

  /** @throws KitchenError `KS_UNKNOWN_FUNCTION`, with the names that come close */
  find(namespace: string, name: string): AnyFunction {
    const fn = this.#namespaces.get(namespace)?.functions.get(name);
    if (fn !== undefined) return fn;
    throw new KitchenError("KS_UNKNOWN_FUNCTION", this.#unknown(namespace, name));
  }

  isArbitraryAllowed(namespace: string): boolean {
    return this.#namespaces.get(namespace)?.isArbitraryAllowed ?? true;
  }

  functionsOf(namespace: string): ReadonlyMap<string, AnyFunction> | undefined {
    return this.#namespaces.get(namespace)?.functions;
  }

  list(): NamespaceInfo[] {
    return [...this.#namespaces].map(([name, { functions, isArbitraryAllowed }]) => ({
      name,
      isArbitraryAllowed,
      functions: [...functions.keys()],
    }));
  }

  #namespace(name: string): Registered {
    let found = this.#namespaces.get(name);
    if (found === undefined)
      this.#namespaces.set(name, (found = { functions: new Map(), isArbitraryAllowed: true }));
    return found;
  }

  #add(namespace: string, name: string, fn: AnyFunction): void {
    const { functions } = this.#namespace(namespace);
    const known = functions.get(name);
    if (known !== undefined && known !== fn)
      throw new KitchenError(
        "KS_MODULE_FAILED",
        `Cannot register ${namespace}.${name} twice: rename one of them`,
      );
    functions.set(name, fn);
  }

  #unknown(namespace: string, name: string): string {
    const functions = this.#namespaces.get(namespace)?.functions;
    const elsewhere = [...this.#namespaces].find(([, registered]) => registered.functions.has(name))?.[0];
    const known =
      functions === undefined
        ? `no namespace "${namespace}"`
        : `"${namespace}" has ${[...functions.keys()].join(", ")}`;
    const hint =
      elsewhere === undefined
        ? "was its module given with --module?"
        : `it is in the namespace "${elsewhere}": set rpcName`;
    return `No function "${name}" is registered in the namespace "${namespace}" (${known}); ${hint}`;
  }
}

/** Classes cannot be called, so exporting one beside the functions registers nothing. */
function isClass(fn: unknown): boolean {
  return /^class\b/.test(Function.prototype.toString.call(fn));
}
