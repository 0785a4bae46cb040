/** Finds what the package exports, and all that its signatures speak of. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
// One that has an API: that of TypeScript 7 is not settled.
import ts from "typescript";
import { parseComment, type Comment } from "./comments.ts";
import { ENTRY_POINTS } from "./pages.ts";

export type Declaration =
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.FunctionDeclaration;

/** Something that a page tells of. */
export interface Entry {
  readonly name: string;
  readonly kind: "class" | "interface" | "type" | "function";
  /** Where it is imported from; undefined for a type that only others speak of. */
  readonly from: string | undefined;
  /** Programs can import more of it than its type. */
  readonly isValue: boolean;
  /** All signatures of a function, else one. */
  readonly declarations: readonly [Declaration, ...Declaration[]];
  readonly comment: Comment;
  /** The text of an alias's type, where what is written there says too little. */
  readonly spelled: string | undefined;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCES = join(ROOT, "src/");

/** The exports of all entry points, in no order, and behind them the types that have none but are spoken of. */
export function readDeclarations(): Entry[] {
  const files = Object.values(ENTRY_POINTS).map((file) => join(ROOT, file));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    types: ["node"],
  });
  return new Declarations(program).all();
}

class Declarations {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #entries = new Map<ts.Symbol, Entry>();

  constructor(program: ts.Program) {
    this.#program = program;
    this.#checker = program.getTypeChecker();
  }

  all(): Entry[] {
    for (const [from, file] of Object.entries(ENTRY_POINTS)) {
      const source = this.#program.getSourceFile(join(ROOT, file));
      const module = source && this.#checker.getSymbolAtLocation(source);
      if (module === undefined) throw new Error(`${file} exports nothing`);
      for (const symbol of this.#checker.getExportsOfModule(module))
        this.#add(this.#origin(symbol), from, isValue(symbol));
    }
    // What is added here is looked at here too.
    for (const { declarations } of this.#entries.values())
      for (const declaration of declarations) this.#addSpokenOf(declaration);
    return [...this.#entries.values()];
  }

  #add(symbol: ts.Symbol, from?: string, isImportable = false): void {
    if (this.#entries.has(symbol) || this.#isKnown(symbol)) return;
    const [first, ...others] = (symbol.declarations ?? []).filter(isDeclaration).filter(isShown);
    if (first === undefined) throw new Error(`${symbol.name} is of a kind that pages do not tell of`);
    this.#entries.set(symbol, {
      name: symbol.name,
      kind: kindOf(first),
      from,
      isValue: isImportable && (ts.isClassDeclaration(first) || ts.isFunctionDeclaration(first)),
      declarations: [first, ...others],
      comment: commentOf(first),
      spelled: this.#spelled(first),
    });
  }

  /** Small types are written more than once, for floors that may not import each other. */
  #isKnown({ name, declarations: [first] = [] }: ts.Symbol): boolean {
    const known = [...this.#entries.values()].find((entry) => entry.name === name);
    return known?.declarations[0].getText() === first?.getText();
  }

  #addSpokenOf(node: ts.Node): void {
    if (ts.isIdentifier(node)) {
      const found = this.#checker.getSymbolAtLocation(node);
      const symbol = found && this.#origin(found);
      const declaration = symbol?.declarations?.find(isDeclaration);
      const isOwn = declaration?.getSourceFile().fileName.startsWith(SOURCES) ?? false;
      if (symbol !== undefined && isOwn && kindOf(declaration!) !== "function") this.#add(symbol);
    }
    for (const part of shownPartsOf(node)) this.#addSpokenOf(part);
  }

  #origin(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  #spelled(declaration: Declaration): string | undefined {
    if (!isDerived(declaration)) return undefined;
    const { NoTruncation, InTypeAlias } = ts.TypeFormatFlags;
    return this.#checker.typeToString(
      this.#checker.getTypeAtLocation(declaration),
      undefined,
      NoTruncation | InTypeAlias,
    );
  }
}

/** Whether an entry point exports it as more than a type. */
function isValue({ declarations: [declaration] = [] }: ts.Symbol): boolean {
  return (
    declaration === undefined ||
    !ts.isExportSpecifier(declaration) ||
    !(declaration.isTypeOnly || declaration.parent.parent.isTypeOnly)
  );
}

/** What a page shows of it: signatures and no bodies, public members alone. */
function shownPartsOf(node: ts.Node): readonly ts.Node[] {
  if (isWithMembers(node))
    return [...(node.typeParameters ?? []), ...(node.heritageClauses ?? []), ...membersOf(node)];
  if (isDerived(node)) return [];
  const parts: ts.Node[] = [];
  node.forEachChild((child) => void parts.push(child));
  return parts.filter((part) => !ts.isBlock(part) && part !== (node as ts.HasInitializer).initializer);
}

/** A type that is derived from a table says nothing to who cannot see the table. */
function isDerived(node: ts.Node): boolean {
  return ts.isTypeAliasDeclaration(node) && node.type.getText().includes("typeof");
}

/** The names of the types that a page shows of it, but for those that it declares for itself. */
export function namesIn(node: ts.Node): string[] {
  return typesIn(node, new Set());
}

function typesIn(node: ts.Node, own: ReadonlySet<string>): string[] {
  const { typeParameters = [] } = node as ts.SignatureDeclaration;
  const known = new Set([...own, ...typeParameters.map(({ name }) => name.text)]);
  const named = ts.isTypeReferenceNode(node)
    ? node.typeName
    : ts.isExpressionWithTypeArguments(node)
      ? node.expression
      : node;
  const names = named !== node && !known.has(named.getText()) ? [named.getText()] : [];
  return [...names, ...shownPartsOf(node).flatMap((part) => typesIn(part, known))];
}

export type Member = ts.ClassElement | ts.TypeElement;

/** Whether it has members to be told of one by one. */
export function isWithMembers(node: ts.Node): node is ts.ClassDeclaration | ts.InterfaceDeclaration {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
}

/** The members that users see, one of a kind and name; each with all its signatures. */
export function membersOf(node: ts.ClassDeclaration | ts.InterfaceDeclaration): Member[] {
  return [...node.members].filter(
    (member) =>
      !(member.name !== undefined && ts.isPrivateIdentifier(member.name)) &&
      !commentOf(member).isInternal &&
      isShown(member),
  );
}

/** The last of several signatures is what implements them. */
function isShown(node: ts.Node): boolean {
  if (!ts.isFunctionDeclaration(node) && !ts.isMethodDeclaration(node) && !ts.isConstructorDeclaration(node))
    return true;
  if (node.body === undefined) return true;
  const siblings: readonly ts.Node[] = ts.isFunctionDeclaration(node)
    ? node.getSourceFile().statements
    : (node.parent as ts.ClassDeclaration).members;
  const before = siblings[siblings.indexOf(node) - 1];
  return before === undefined || before.kind !== node.kind || nameOf(before) !== nameOf(node);
}

function nameOf(node: ts.Node): string {
  return (node as ts.NamedDeclaration).name?.getText() ?? "";
}

export function commentOf(node: ts.Node): Comment {
  const raw = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)?.getText() ?? "";
  return parseComment(raw);
}

function isDeclaration(node: ts.Node): node is Declaration {
  return (
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node)
  );
}

function kindOf(node: Declaration): Entry["kind"] {
  if (ts.isClassDeclaration(node)) return "class";
  if (ts.isInterfaceDeclaration(node)) return "interface";
  return ts.isFunctionDeclaration(node) ? "function" : "type";
}
