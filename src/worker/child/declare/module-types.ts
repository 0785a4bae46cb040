import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Oxc from "oxc-transform";
import { fileURLToPath } from "node:url";
import { nodeIn, parseModule, textIn, type Syntax } from "./syntax.ts";

/** The name of the interface that holds a module's registered functions among its declarations. */
export const FUNCTIONS = "$functions";

/** A module in TypeScript that registers functions. */
export class TypedModule {
  readonly text: string;
  readonly statements: readonly Syntax[];
  readonly #file: string;

  /** @throws SyntaxError */
  constructor(url: string) {
    this.#file = fileURLToPath(url);
    this.text = readFileSync(this.#file, "utf8");
    this.statements = parseModule(this.text, this.#file);
  }

  /** These methods as an interface, and all that it refers to, as declarations. */
  declarations(methods: readonly string[]): string {
    const own = this.#withoutExports();
    return declarationsOf(this.#file, `${own}\nexport interface ${FUNCTIONS} {\n${methods.join("\n")}\n}\n`);
  }

  /** What nothing refers to is left out by the compiler; what is exported would stay. */
  #withoutExports(): string {
    let rest = "";
    let from = 0;
    for (const statement of this.statements) {
      const keptFrom = startWithoutExport(statement);
      rest += this.text.slice(from, statement.start);
      from = keptFrom;
    }
    return rest + this.text.slice(from);
  }
}

/** All that a module in TypeScript exports, as declarations. */
export function exportedTypes(url: string): string {
  const file = fileURLToPath(url);
  return declarationsOf(file, readFileSync(file, "utf8"));
}

/** Types that are not written down are left out by the compiler, or are `unknown`: that is no reason to give none. */
function declarationsOf(file: string, text: string): string {
  const oxc = createRequire(import.meta.url)("oxc-transform") as typeof Oxc;
  return oxc.isolatedDeclarationSync(file, text).code;
}

/** Where a statement begins as one that exports nothing; its end, when nothing of it is left. */
function startWithoutExport(statement: Syntax): number {
  if (!/^Export|^TSExportAssignment/.test(statement.type)) return statement.start;
  const declaration = nodeIn(statement, "declaration");
  const isNamed =
    statement.type === "ExportNamedDeclaration" || textIn(declaration && nodeIn(declaration, "id"), "name");
  return declaration !== undefined && isNamed ? declaration.start : statement.end;
}
