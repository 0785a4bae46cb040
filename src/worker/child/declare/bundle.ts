import { basename } from "node:path";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isTypeScript } from "../../typescript/transform.ts";
import { resolveSource } from "../../typescript/resolve.ts";
import { exportedTypes } from "./module-types.ts";
import { nodeIn, nodesIn, parseModule, textIn, type Syntax } from "./syntax.ts";

const IDENTIFIER = /[^A-Za-z0-9_$]/g;

/**
 * Declarations of many modules as one file that stands alone: each module is a TypeScript namespace, and what it imports
 * from another one is an alias. Packages are imported as they were.
 */
export class Bundle {
  readonly #namesByUrl = new Map<string, string>();
  readonly #packages = new Map<string, string>();
  readonly #blocks: string[] = [];
  readonly #names = new Set<string>();
  /** What each namespace exports. */
  readonly #exports = new Map<string, readonly string[]>();

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
    const statements = parseModule(declarations, "module.d.ts").map((node) =>
      this.#inner(node, url, declarations),
    );
    this.#exports.set(name, statements.flatMap(exportedNames));
    const lines = statements.flatMap((text) => (text === "" ? [] : text.replaceAll("\t", "  ").split("\n")));
    this.#blocks.push(`declare namespace ${name} {\n${lines.map((line) => `  ${line}`).join("\n")}\n}`);
  }

  /** A statement of a module as one of a namespace, which cannot import and has no default. */
  #inner(statement: Syntax, url: string, text: string): string {
    const source = textIn(nodeIn(statement, "source"), "value");
    if (statement.type === "ExportAllDeclaration") return this.#aliasAll(statement, source ?? "", url);
    if (source !== undefined)
      return nodesIn(statement, "specifiers")
        .map((one) => this.#alias(one, source, url))
        .join("\n");
    if (statement.type === "ExportDefaultDeclaration") return "";
    // Everything in it is ambient already.
    return text.slice(statement.start, statement.end).replace(/^(export )?declare /, "$1");
  }

  /** `import { imported as local }`, or `export { local as exported } from`. */
  #alias(specifier: Syntax, source: string, url: string): string {
    const isExport = specifier.type === "ExportSpecifier";
    const here = textIn(nodeIn(specifier, isExport ? "exported" : "local"), "name") ?? "";
    const there = textIn(nodeIn(specifier, isExport ? "local" : "imported"), "name");
    const from = this.#namespaceOf(source, url);
    const isAll = specifier.type === "ImportNamespaceSpecifier";
    if (from === undefined || (there === undefined && !isAll)) return `type ${here} = unknown;`;
    return `${isExport ? "export " : ""}import ${here} = ${isAll ? from : `${from}.${there}`};`;
  }

  /** `export * from`, or `export * as exported from`. */
  #aliasAll(statement: Syntax, source: string, url: string): string {
    const from = this.#namespaceOf(source, url);
    const exported = textIn(nodeIn(statement, "exported"), "name");
    if (from === undefined) return "";
    if (exported !== undefined) return `export import ${exported} = ${from};`;
    return (this.#exports.get(from) ?? [])
      .map((name) => `export import ${name} = ${from}.${name};`)
      .join("\n");
  }

  /** `undefined` for a module without types of its own. */
  #namespaceOf(source: string, parent: string): string | undefined {
    if (!/^\.\.?\//.test(source)) return this.#package(source);
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

/** The names after `export` in statements of a namespace. */
function exportedNames(statements: string): readonly string[] {
  const declared = statements.matchAll(
    /^export (?:import|interface|type|enum|const enum|abstract class|class|function|const|let|var|namespace) ([\w$]+)/gm,
  );
  return [...declared].map(([, name = ""]) => name);
}
