import type * as EslintScope from "eslint-scope";
import type * as ESTree from "estree";

/** Where a name comes from that a module does not make itself: `*` is the whole other module. */
export interface Import {
  readonly specifier: string;
  readonly name: string;
}

/** What a module imports and exports. */
export interface ModuleNames {
  readonly imports: ReadonlyMap<string, Import>;
  /** By exported name: the variable, `*.default` for a default that is none, or where it comes from. */
  readonly exports: ReadonlyMap<string, string | Import>;
  /** Specifiers of `export *`. */
  readonly stars: readonly string[];
}

export function namesIn(program: ESTree.Program, scopes: EslintScope.ScopeManager): ModuleNames {
  const imports = new Map<string, Import>();
  const exports = new Map<string, string | Import>();
  const stars: string[] = [];
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") readImport(statement, imports);
    else if (statement.type === "ExportAllDeclaration") readStar(statement, exports, stars);
    else if (statement.type === "ExportNamedDeclaration") readExport(statement, exports, scopes);
    else if (statement.type === "ExportDefaultDeclaration") {
      const { id } = statement.declaration as { id?: ESTree.Identifier | null };
      exports.set("default", isDeclaration(statement.declaration) && id ? id.name : "*.default");
    }
  }
  return { imports, exports, stars };
}

function isDeclaration({ type }: { type: string }): boolean {
  return type === "FunctionDeclaration" || type === "ClassDeclaration";
}

export function readImport(
  { specifiers, source }: ESTree.ImportDeclaration,
  imports: Map<string, Import>,
): void {
  for (const one of specifiers) {
    const name =
      one.type === "ImportSpecifier"
        ? textOf(one.imported)
        : one.type === "ImportDefaultSpecifier"
          ? "default"
          : "*";
    imports.set(one.local.name, { specifier: String(source.value), name });
  }
}

function readStar(
  { exported, source }: ESTree.ExportAllDeclaration,
  exports: Map<string, string | Import>,
  stars: string[],
): void {
  const specifier = String(source.value);
  if (exported) exports.set(textOf(exported), { specifier, name: "*" });
  else stars.push(specifier);
}

function readExport(
  { declaration, specifiers, source }: ESTree.ExportNamedDeclaration,
  exports: Map<string, string | Import>,
  scopes: EslintScope.ScopeManager,
): void {
  if (declaration) for (const { name } of scopes.getDeclaredVariables(declaration)) exports.set(name, name);
  for (const { local, exported } of specifiers) {
    const name = textOf(local);
    exports.set(textOf(exported), source ? { specifier: String(source.value), name } : name);
  }
}

function textOf(node: ESTree.Identifier | ESTree.Literal): string {
  return node.type === "Identifier" ? node.name : String(node.value);
}
