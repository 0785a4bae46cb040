import { basename } from "node:path";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isTypeScript } from "../../typescript/transform.ts";
import { resolveSource } from "../../typescript/resolve.ts";
import { exportedTypes } from "./module-types.ts";
import { nodeIn, nodesIn, nodesWithin, parseModule, textIn, type Syntax } from "./syntax.ts";

const IDENTIFIER = /[^A-Za-z0-9_$]/g;
/** The name of a default that has none in its module. */
const UNNAMED_DEFAULT = "$default";

interface Module {
  /** Of its namespace. */
  readonly name: string;
  readonly url: string;
  /** Its declarations. */
  readonly text: string;
}

/** What a statement of a module becomes in its namespace. */
interface Member {
  readonly text: string;
  readonly exports: readonly string[];
}

const NOTHING: Member = { text: "", exports: [] };

/**
 * Declarations of many modules as one file that stands alone: each module is a TypeScript namespace, and what it imports
 * from another one is an alias. Packages are imported as they were.
 */
export class Bundle {
  readonly #namesByUrl = new Map<string, string>();
  readonly #packages = new Map<string, string>();
  readonly #blocks: string[] = [];
  readonly #names = new Set<string>();
  /** What each namespace exports, but for its default. */
  readonly #exports = new Map<string, readonly string[]>();
  /** The name of what is each module's default, if it has one. */
  readonly #defaults = new Map<string, string | undefined>();

  /** The name of the namespace that a module's declarations will be in. */
  nameFor(url: string): string {
    return this.#newName(basename(fileURLToPath(url)).replace(/\.[cm]?tsx?$/, ""));
  }

  /** What was imported from packages. */
  get imports(): string {
    return [...this.#packages]
      .map(([specifier, name]) => `import * as ${name} from "${specifier}";`)
      .join("\n");
  }

  get namespaces(): readonly string[] {
    return this.#blocks;
  }

  /** Places a module's declarations in a namespace of that name. */
  place(name: string, url: string, declarations: string): void {
    const statements = parseModule(declarations, "module.d.ts");
    // Before anything that it imports is placed, which may import from it in turn.
    this.#defaults.set(
      name,
      statements.map(nameOfDefault).find((one) => one !== undefined),
    );
    const module = { name, url, text: declarations };
    const members = statements.map((statement) => this.#member(statement, module));
    this.#exports.set(
      name,
      members.flatMap(({ exports }) => exports),
    );
    const lines = members.flatMap(({ text }) => (text === "" ? [] : text.replaceAll("\t", "  ").split("\n")));
    this.#blocks.push(`declare namespace ${name} {\n${lines.map((line) => `  ${line}`).join("\n")}\n}`);
  }

  /** A statement of a module as one of a namespace, which cannot import and has no default. */
  #member(statement: Syntax, module: Module): Member {
    const source = textIn(nodeIn(statement, "source"), "value");
    const declaration = nodeIn(statement, "declaration");
    if (statement.type === "ExportAllDeclaration") return this.#all(statement, source ?? "", module);
    if (statement.type === "ExportDefaultDeclaration") return this.#default(declaration, module);
    if (source !== undefined || (statement.type === "ExportNamedDeclaration" && declaration === undefined))
      return joined(nodesIn(statement, "specifiers").map((one) => this.#alias(one, source, module)));
    return {
      // Everything in it is ambient already.
      text: this.#textOf(statement, module).replace(/^(export )?declare /, "$1"),
      exports: statement.type === "ExportNamedDeclaration" ? namesOf(declaration) : [],
    };
  }

  /** `export default class Name`: a namespace has it by its name. What is only named there has been declared before. */
  #default(declaration: Syntax | undefined, module: Module): Member {
    if (declaration === undefined || declaration.type === "Identifier") return NOTHING;
    const text = this.#textOf(declaration, module).replace(/^declare /, "");
    const isNamed = nodeIn(declaration, "id") !== undefined;
    const named = isNamed ? text : text.replace(/^((?:abstract )?class|function)/, `$1 ${UNNAMED_DEFAULT}`);
    return { text: `export ${named}`, exports: [] };
  }

  /** `import { there as here } from`, `export { there as here } from`, and `export { there as here }`. */
  #alias(specifier: Syntax, source: string | undefined, module: Module): Member {
    const isExport = specifier.type === "ExportSpecifier";
    const written = textIn(nodeIn(specifier, isExport ? "exported" : "local"), "name") ?? "";
    const there = textIn(nodeIn(specifier, isExport ? "local" : "imported"), "name");
    const isDefault = isExport && written === "default";
    const exports = isExport && !isDefault ? [written] : [];
    // A namespace of declarations exports all that it has, under the name it has there.
    if (source === undefined && (isDefault || written === there)) return { text: "", exports };
    const here = isDefault ? UNNAMED_DEFAULT : written;
    const from = source === undefined ? module.name : this.#namespaceOf(source, module.url);
    const target = from === undefined ? undefined : this.#targetOf(specifier, from, there);
    if (target === undefined) return { text: `type ${here} = unknown;`, exports };
    return { text: `${isExport ? "export " : ""}import ${here} = ${target};`, exports };
  }

  /** What an import of a name from a namespace refers to. */
  #targetOf({ type }: Syntax, from: string, there: string | undefined): string | undefined {
    if (type === "ImportNamespaceSpecifier") return from;
    const name = type === "ImportDefaultSpecifier" ? "default" : there;
    const known = name === "default" && this.#defaults.has(from) ? this.#defaults.get(from) : name;
    return known === undefined ? undefined : `${from}.${known}`;
  }

  /** `export * from`, or `export * as exported from`. */
  #all(statement: Syntax, source: string, { url }: Module): Member {
    const from = this.#namespaceOf(source, url);
    const exported = textIn(nodeIn(statement, "exported"), "name");
    if (from === undefined) return NOTHING;
    if (exported !== undefined) return { text: `export import ${exported} = ${from};`, exports: [exported] };
    const exports = this.#exports.get(from) ?? [];
    return { text: exports.map((name) => `export import ${name} = ${from}.${name};`).join("\n"), exports };
  }

  /** A node's text, with namespaces for the modules that its types name: `import("./shop.ts").Item`. */
  #textOf(node: Syntax, module: Module): string {
    let written = "";
    let from = node.start;
    for (const imported of nodesWithin(node, "TSImportType")) {
      const source = textIn(nodeIn(imported, "argument"), "value");
      // What is within a type that was left out is left out with it.
      if (source === undefined || !isRelative(source) || imported.start < from) continue;
      const before = module.text.slice(from, imported.start);
      const namespace = this.#namespaceOf(source, module.url);
      if (namespace === undefined) {
        written += `${before.replace(/typeof\s+$/, "")}unknown`;
        from = imported.end;
      } else {
        const { name, end } = this.#importedName(imported, namespace, module.text);
        written += before + name;
        from = end;
      }
    }
    return written + module.text.slice(from, node.end);
  }

  /** What stands for `import("./shop.ts")`, or for its default with `.default`, and where that ends. */
  #importedName(imported: Syntax, namespace: string, text: string): { name: string; end: number } {
    const [argument, qualifier] = [nodeIn(imported, "argument"), nodeIn(imported, "qualifier")];
    if (qualifier !== undefined && textIn(qualifier, "name") === "default")
      return { name: `${namespace}.${this.#defaults.get(namespace) ?? "default"}`, end: qualifier.end };
    return { name: namespace, end: text.indexOf(")", argument?.end) + 1 };
  }

  /** `undefined` for a module without types of its own. */
  #namespaceOf(source: string, parent: string): string | undefined {
    if (!isRelative(source)) return this.#package(source);
    const url = resolveSource(source, parent) ?? new URL(source, parent).href;
    const known = this.#namesByUrl.get(url);
    if (known !== undefined) return known;
    if (!isTypeScript(url) || !existsSync(fileURLToPath(url))) return undefined;
    const name = this.nameFor(url);
    this.#namesByUrl.set(url, name);
    this.place(name, url, exportedTypes(url));
    return name;
  }

  #package(source: string): string {
    let name = this.#packages.get(source);
    if (name === undefined) this.#packages.set(source, (name = this.#newName(source)));
    return name;
  }

  #newName(wanted: string): string {
    const base = wanted.replaceAll(IDENTIFIER, "_").replace(/^(?=\d)/, "_");
    let name = `$${base}`;
    for (let count = 2; this.#names.has(name); count += 1) name = `$${base}${count}`;
    this.#names.add(name);
    return name;
  }
}

function isRelative(source: string): boolean {
  return /^\.\.?\//.test(source);
}

function joined(members: readonly Member[]): Member {
  return {
    text: members.flatMap(({ text }) => (text === "" ? [] : [text])).join("\n"),
    exports: members.flatMap(({ exports }) => exports),
  };
}

/** The names that a declaration makes. */
function namesOf(declaration: Syntax | undefined): readonly string[] {
  if (declaration === undefined) return [];
  const declared = [declaration, ...nodesIn(declaration, "declarations")];
  return declared.flatMap((one) => textIn(nodeIn(one, "id"), "name") ?? []);
}

/** By which name a statement makes something its module's default. */
function nameOfDefault(statement: Syntax): string | undefined {
  const declaration = nodeIn(statement, "declaration");
  if (statement.type === "ExportDefaultDeclaration")
    return textIn(declaration, "name") ?? namesOf(declaration)[0] ?? UNNAMED_DEFAULT;
  const specifier = nodesIn(statement, "specifiers").find(
    (one) => textIn(nodeIn(one, "exported"), "name") === "default",
  );
  if (specifier === undefined) return undefined;
  return nodeIn(statement, "source") === undefined
    ? textIn(nodeIn(specifier, "local"), "name")
    : UNNAMED_DEFAULT;
}
