import type * as ESTree from "estree";

/** What a function uses that is no variable. */
export interface Uses {
  /** `this` of the function around an arrow function. */
  readonly usesThis: boolean;
  readonly usesArguments: boolean;
  readonly usesNewTarget: boolean;
  /** `super` of the method itself or of the method around an arrow function. */
  readonly usesSuper: boolean;
  readonly callsEval: boolean;
  /** Offsets of `import(` and `import.meta` within the source. */
  readonly imports: readonly number[];
  readonly usesImportMeta: boolean;
  /** Private names of a class that is not part of the text. */
  readonly privateNames: readonly string[];
  readonly usesWith: boolean;
  /** Means one thing under strict rules and another without; loose ones are silent where the others throw. */
  readonly dependsOnStrictness: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

interface Place {
  /** Inside a function that has a `this` of its own. */
  readonly hasThis: boolean;
  readonly hasSuper: boolean;
  /** Directly under a function, so that the block that comes is its body. */
  readonly isBody: boolean;
  readonly isStrict: boolean;
  readonly privates: ReadonlySet<string>;
}

interface AnyNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/**
 * Every use has one of these in its text; most functions have none, and their tree need not be walked. A name may be
 * written with escapes, a function inside of a block is one that does not begin the text, and what is assigned to and is
 * no variable ends with a name behind a dot, or with a bracket.
 */
const SIGNS: readonly RegExp[] = [
  /\b(this|super|arguments|target|eval|import|with|delete)\b|[#\\]|(?<!^(async\s+)?)\bfunction\b/,
  /(\.\s*[\p{ID_Continue}$]+|[\])}]|\*\/|\/\/[^\n]*)\s*(\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])?=(?![=>])/u,
  /([\p{ID_Continue}$]\s*\.\s*[\p{ID_Continue}$]+|[\])]|\/)\s*(\+\+|--)/u,
  /(\+\+|--)\s*([\p{ID_Continue}$]+\s*[.[(?]|[(/])/u,
  /\bfor\s*(await\s*)?\(\s*(?!(const|let|var)\b|;)/,
];

interface Read {
  readonly node: ESTree.Function | ESTree.Class;
  readonly member: ESTree.Property | ESTree.MethodDefinition | null;
}

export function readUses({ node, member }: Read, source: string, offset: number): Uses {
  const reading = new Reading(offset);
  if (!SIGNS.some((sign) => sign.test(source))) return reading.uses;
  const isArrow = node.type === "ArrowFunctionExpression";
  const place: Place = {
    hasThis: false,
    hasSuper: false,
    isBody: false,
    isStrict: false,
    privates: new Set(),
  };
  if (isArrow || node.type === "ClassExpression" || node.type === "ClassDeclaration") {
    reading.visit(node as unknown as AnyNode, place);
  } else {
    const inside = { ...place, hasThis: true, isBody: true };
    for (const part of [...node.params, node.body]) reading.visit(part as unknown as AnyNode, inside);
  }
  if (member?.computed === true) reading.visit(member.key as unknown as AnyNode, place);
  return reading.uses;
}

class Reading {
  readonly uses: Mutable<Uses> = {
    usesThis: false,
    usesArguments: false,
    usesNewTarget: false,
    usesSuper: false,
    callsEval: false,
    imports: [],
    usesImportMeta: false,
    privateNames: [],
    usesWith: false,
    dependsOnStrictness: false,
  };
  readonly #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  visit(node: AnyNode, place: Place): void {
    this.#note(node, place);
    if (node.type === "MethodDefinition" || node.type === "PropertyDefinition" || node.type === "Property") {
      this.#visitMember(node, place);
      return;
    }
    const inner = this.#within(node, place);
    for (const child of childrenOf(node)) this.visit(child, inner);
  }

  /** A computed key is evaluated outside of the member that it names. */
  #visitMember(node: AnyNode, place: Place): void {
    const key = node["key"] as AnyNode;
    if (node["computed"] === true || key.type === "PrivateIdentifier") this.visit(key, place);
    const value = node["value"] as AnyNode | null;
    if (value === null) return;
    const isMethod =
      node.type === "MethodDefinition" ||
      node["method"] === true ||
      node["kind"] === "get" ||
      node["kind"] === "set";
    const isField = node.type === "PropertyDefinition";
    if (isMethod) {
      const inner = { ...place, hasThis: true, hasSuper: true, isBody: true };
      for (const child of childrenOf(value)) this.visit(child, inner);
    } else this.visit(value, isField ? { ...place, hasThis: true, hasSuper: true } : place);
  }

  #within(node: AnyNode, place: Place): Place {
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
        return { ...place, hasThis: true, hasSuper: false, isBody: true };
      case "ArrowFunctionExpression":
        return { ...place, isBody: true };
      case "BlockStatement":
        return { ...place, isBody: false };
      case "StaticBlock":
        return { ...place, hasThis: true, hasSuper: true };
      case "ClassBody":
        return { ...place, isStrict: true, privates: new Set([...place.privates, ...privateNamesOf(node)]) };
      default:
        return place;
    }
  }

  #note(node: AnyNode, place: Place): void {
    const { uses } = this;
    switch (node.type) {
      case "ThisExpression":
        if (!place.hasThis) uses.usesThis = true;
        else if (!place.isStrict) uses.dependsOnStrictness = true;
        break;
      case "Super":
        if (!place.hasSuper) uses.usesSuper = true;
        break;
      case "Identifier":
        if (node["name"] === "arguments") this.#noteArguments(place);
        break;
      case "MetaProperty":
        this.#noteMeta(node, place);
        break;
      case "ImportExpression":
        uses.imports.push(node.start - this.#offset);
        break;
      case "CallExpression":
        if ((node["callee"] as AnyNode)["name"] === "eval") uses.callsEval = true;
        break;
      case "WithStatement":
        uses.usesWith = true;
        break;
      case "PrivateIdentifier":
        if (!place.privates.has(node["name"] as string)) uses.privateNames.push(node["name"] as string);
        break;
      case "AssignmentExpression":
      case "ForInStatement":
      case "ForOfStatement":
        if (!place.isStrict && isPlace(node["left"])) uses.dependsOnStrictness = true;
        break;
      case "UpdateExpression":
      case "UnaryExpression":
        if (!place.isStrict && isChange(node)) uses.dependsOnStrictness = true;
        break;
      case "BlockStatement":
        if (!place.isBody && !place.isStrict && declaresFunction(node)) uses.dependsOnStrictness = true;
        break;
    }
  }

  #noteArguments(place: Place): void {
    if (!place.hasThis) this.uses.usesArguments = true;
    else if (!place.isStrict) this.uses.dependsOnStrictness = true;
  }

  #noteMeta(node: AnyNode, place: Place): void {
    if ((node["meta"] as AnyNode)["name"] === "import") {
      this.uses.imports.push(node.start - this.#offset);
      this.uses.usesImportMeta = true;
    } else if (!place.hasThis) this.uses.usesNewTarget = true;
  }
}

function privateNamesOf(body: AnyNode): string[] {
  const members = body["body"] as readonly AnyNode[];
  const keys = members.map((member) => member["key"] as AnyNode | undefined);
  return keys.filter((key) => key?.type === "PrivateIdentifier").map((key) => key?.["name"] as string);
}

/** Something that is assigned to and is no variable: a property, which may be one that cannot be written. */
function isPlace(left: unknown): boolean {
  return isNode(left) && left.type !== "Identifier" && left.type !== "VariableDeclaration";
}

function isChange({ type, operator, argument }: AnyNode): boolean {
  return type === "UnaryExpression" ? operator === "delete" : isPlace(argument);
}

/** Where a function declared in a block can be seen differs. */
function declaresFunction(block: AnyNode): boolean {
  return (block["body"] as readonly AnyNode[]).some(({ type }) => type === "FunctionDeclaration");
}

function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const key of Object.keys(node)) {
    if (key === "range" || (key === "property" && node["computed"] === false && !isPrivate(node[key])))
      continue;
    const value = node[key];
    if (Array.isArray(value)) children.push(...value.filter(isNode));
    else if (isNode(value)) children.push(value);
  }
  return children;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as AnyNode).type === "string";
}

function isPrivate(value: unknown): boolean {
  return isNode(value) && value.type === "PrivateIdentifier";
}
