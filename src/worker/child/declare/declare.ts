import { schemaOf, writtenFunction, type AnyFunction } from "../../functions.ts";
import { isTypeScript } from "../../typescript/transform.ts";
import { inputOf } from "../input.ts";
import { nameOf, parametersOf } from "../parameters.ts";
import type { Registry } from "../registry.ts";
import { SourceFiles } from "../source-file.ts";
import { Bundle } from "./bundle.ts";
import { functionIn } from "./locate.ts";
import { FUNCTIONS, TypedModule } from "./module-types.ts";
import { typeOfSchema } from "./schema-type.ts";
import { signatureOf } from "./signature.ts";

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * The types of registered functions as one declaration file, for clients that do not have their sources. Types are those
 * that were written down: parameters and results of functions in TypeScript, and the inputs that schemas tell.
 */
export function declareFunctions(namespaces: readonly string[], registry: Registry): string {
  const declarations = new Declarations();
  const taken = new Set<string>();
  const interfaces = namespaces.map((namespace) => {
    const functions = registry.functionsOf(namespace) ?? new Map<string, AnyFunction>();
    const name = freeName(nameOfInterface(namespace), taken);
    taken.add(name);
    return interfaceOf(name, namespace, declarations.membersOf(functions));
  });
  const { imports, namespaces: modules } = declarations.modules();
  return `${[imports, ...interfaces, ...modules].filter((part) => part !== "").join("\n\n")}\n`;
}

function nameOfInterface(namespace: string): string {
  const words = namespace.split(/[^\w$]+/);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** `a.b` and `aB` would share one. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}${number}`;
  return free;
}

/** In the form of a module's type, so that a function may have any name. */
function interfaceOf(name: string, namespace: string, members: readonly string[]): string {
  const body = members.flatMap((member) => member.split("\n")).map((line) => `    ${line}`);
  const head = `/** \`c.rpc<${name}>(${JSON.stringify(namespace)})\` */\nexport interface ${name}`;
  return `${head} {\n  readonly functions: {\n${body.join("\n")}\n  };\n}`;
}

class Declarations {
  readonly #files = new SourceFiles();
  readonly #modules = new Map<string, TypedModule | undefined>();
  readonly #methods = new Map<string, string[]>();
  readonly #bundle = new Bundle();
  readonly #names = new Map<string, string>();

  /** The members of the interface of a namespace. */
  membersOf(functions: ReadonlyMap<string, AnyFunction>): readonly string[] {
    return [...functions].map(([name, registered]) => {
      const fn = writtenFunction(registered);
      const doc = this.#files.fileOf(fn)?.find(Function.prototype.toString.call(fn))?.doc ?? "";
      return `${commentOf(doc)}readonly ${keyOf(name)}: ${this.#typeOf(registered)};`;
    });
  }

  /** All that the interfaces refer to. */
  modules(): Bundle {
    for (const [url, methods] of this.#methods)
      this.#bundle.place(
        this.#names.get(url) ?? "",
        url,
        this.#modules.get(url)?.declarations(methods) ?? "",
      );
    return this.#bundle;
  }

  #typeOf(registered: AnyFunction): string {
    const fn = writtenFunction(registered);
    const url = this.#files.urlOf(fn);
    const [module, compiled] = [this.#moduleOf(url), this.#files.fileOf(fn)];
    const syntax = module && compiled && functionIn(module, compiled, fn);
    if (module === undefined || syntax === undefined) return untyped(registered);
    const key = this.#method(url, signatureOf(syntax, module.text));
    return schemaOf(registered) === undefined ? key : definedType(registered, key);
  }

  /** Kept for the module's own declarations; gives the way to it. */
  #method(url: string, signature: string): string {
    const methods = this.#methods.get(url) ?? [];
    if (methods.length === 0) {
      this.#methods.set(url, methods);
      this.#names.set(url, this.#bundle.nameFor(url));
    }
    methods.push(`f${methods.length}${signature};`);
    return `${this.#names.get(url)}.${FUNCTIONS}["f${methods.length - 1}"]`;
  }

  #moduleOf(url: string): TypedModule | undefined {
    if (!this.#modules.has(url)) this.#modules.set(url, isTypeScript(url) ? readModule(url) : undefined);
    return this.#modules.get(url);
  }
}

function readModule(url: string): TypedModule | undefined {
  try {
    return new TypedModule(url);
  } catch {
    // A syntax that the parser does not know: the names of the parameters are known from what runs.
    return undefined;
  }
}

function keyOf(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}

function commentOf(doc: string): string {
  return doc === ""
    ? ""
    : `/**\n${doc
        .split("\n")
        .map((line) => ` * ${line}`.trimEnd())
        .join("\n")}\n */\n`;
}

/** A function made by `define` takes what its schema says, where that can say it, and always gives a promise. */
function definedType(registered: AnyFunction, key: string): string {
  const { input } = inputOf(registered);
  const parameter = Object.keys(input).length === 0 ? `Parameters<${key}>[0]` : typeOfSchema(input);
  return `(input: ${parameter}) => Promise<Awaited<ReturnType<${key}>>>`;
}

/** Of a function in JavaScript: the names of its parameters, and its schema. */
function untyped(registered: AnyFunction): string {
  if (schemaOf(registered) !== undefined)
    return `(input: ${typeOfSchema(inputOf(registered).input)}) => Promise<unknown>`;
  const parameters = parametersOf(registered).map((parameter, at) =>
    parameter.type === "RestElement"
      ? `...rest: unknown[]`
      : `${nameOf(parameter) ?? `argument${at + 1}`}?: unknown`,
  );
  return `(${parameters.join(", ")}) => unknown`;
}
