import type * as ESTree from "estree";
import { isQuiet, type Surrounding } from "./quiet.ts";
import { standIn } from "../scopes/stand-in.ts";

/** What a constructor runs when it is called with stand-ins that absorb everything. */
export interface ConstructorRun {
  readonly superArguments: readonly ESTree.Expression[];
  /** After its fields are put on it does more than set some of them. */
  readonly mustLeave: boolean;
  /** Names of public fields that it sets when it is not left. */
  readonly assigned: readonly string[];
  readonly around: Surrounding;
}

export function constructorIn(
  body: readonly ESTree.ClassBody["body"][number][],
): ESTree.FunctionExpression | undefined {
  const maker = body.find((member) => member.type === "MethodDefinition" && member.kind === "constructor");
  return maker?.type === "MethodDefinition" ? maker.value : undefined;
}

/** Undefined when more runs than arguments of super() before the fields are put on. */
export function readConstructor(
  { params, body }: ESTree.FunctionExpression,
  { isDerived, around }: { readonly isDerived: boolean; readonly around: Surrounding },
): ConstructorRun | undefined {
  const names: Parameters = { absorbing: new Set(), lists: new Set() };
  if (!params.every((param) => readParameter(param, names))) return undefined;
  const locals = new Set([...names.lists, ...declaredIn(body)]);
  const variable: Surrounding["variable"] = (name) => {
    if (locals.has(name)) return undefined;
    return names.absorbing.has(name) ? { value: standIn } : around.variable(name);
  };
  const inside = { ...around, variable };
  const statements = body.body as readonly ESTree.Statement[];
  const superArguments = isDerived ? argumentsOfSuper(statements[0], names.lists) : [];
  if (superArguments === undefined) return undefined;
  const rest = isDerived ? statements.slice(1) : statements;
  const set = rest.map((one) => quietlySet(one, inside));
  const mustLeave = set.includes(undefined);
  if (mustLeave && !beginsWithPause(rest)) return undefined;
  return {
    superArguments,
    mustLeave,
    assigned: mustLeave ? [] : set.flatMap((name) => name ?? []),
    around: inside,
  };
}

/** V8 pauses before every statement, but for declarations: that of a class may run code of its own. */
function beginsWithPause(statements: readonly ESTree.Statement[]): boolean {
  const [first] = statements.flatMap(partsOf);
  return first?.type !== "ClassDeclaration";
}

/** What of a statement comes first; declarations of functions and of variables without values do nothing. */
function partsOf(statement: ESTree.Statement): ESTree.Statement[] {
  switch (statement.type) {
    case "EmptyStatement":
    case "FunctionDeclaration":
      return [];
    case "VariableDeclaration":
      return statement.declarations.some(({ init }) => init != null) ? [statement] : [];
    case "BlockStatement":
      return statement.body.flatMap(partsOf);
    case "TryStatement":
      return partsOf(statement.block);
    case "LabeledStatement":
      return partsOf(statement.body);
    case "DoWhileStatement":
      return [...partsOf(statement.body), statement];
    default:
      return [statement];
  }
}

interface Parameters {
  readonly absorbing: Set<string>;
  /** Rest parameters, which are arrays of stand-ins. */
  readonly lists: Set<string>;
}

/** False for what runs code although it gets a stand-in. */
function readParameter(param: ESTree.Pattern, names: Parameters): boolean {
  switch (param.type) {
    case "Identifier":
      names.absorbing.add(param.name);
      return true;
    case "AssignmentPattern":
      return readParameter(param.left, names);
    case "RestElement":
      if (param.argument.type !== "Identifier") return false;
      names.lists.add(param.argument.name);
      return true;
    case "ObjectPattern":
      return param.properties.every((property) =>
        property.type === "RestElement"
          ? readParameter(property, names)
          : !property.computed && readParameter(property.value, names),
      );
    case "ArrayPattern":
      return param.elements.every((element) => element === null || readParameter(element, names));
    default:
      return false;
  }
}

/** Of a statement that is nothing but the call. */
function argumentsOfSuper(
  statement: ESTree.Statement | undefined,
  lists: ReadonlySet<string>,
): ESTree.Expression[] | undefined {
  const call = statement?.type === "ExpressionStatement" ? statement.expression : undefined;
  if (call?.type !== "CallExpression" || call.callee.type !== "Super") return undefined;
  const passed = call.arguments.filter((value) => !isListOf(value, lists));
  return passed.some(({ type }) => type === "SpreadElement") ? undefined : (passed as ESTree.Expression[]);
}

function isListOf(value: ESTree.Expression | ESTree.SpreadElement, lists: ReadonlySet<string>): boolean {
  if (value.type !== "SpreadElement" || value.argument.type !== "Identifier") return false;
  return lists.has(value.argument.name);
}

/** The name that `this.x = …` or `this.#x = …` sets; what it sets is overwritten or taken off again. */
function quietlySet(statement: ESTree.Statement, around: Surrounding): string | undefined {
  const set = statement.type === "ExpressionStatement" ? statement.expression : undefined;
  if (set?.type !== "AssignmentExpression" || set.operator !== "=" || !isQuiet(set.right, around))
    return undefined;
  const { left } = set;
  if (left.type !== "MemberExpression" || left.object.type !== "ThisExpression" || left.computed)
    return undefined;
  const { property } = left;
  if (property.type === "PrivateIdentifier")
    return around.fields.has(property.name) ? `#${property.name}` : undefined;
  return property.type === "Identifier" && property.name !== "length" ? property.name : undefined;
}

/** Names in a function that may hide those around it, and perhaps more. */
export function namesDeclaredIn({ params, body }: ESTree.FunctionExpression): string[] {
  return [...params.flatMap(namesIn), ...declaredIn(body)];
}

function declaredIn(node: object): string[] {
  return Object.entries(node).flatMap(([key, child]: [string, unknown]) => {
    const children = Array.isArray(child) ? (child as unknown[]) : [child];
    const nodes = children.filter((one) => typeof one === "object" && one !== null);
    return nodes.flatMap((one) => (key === "id" ? namesIn(one) : declaredIn(one)));
  });
}

function namesIn(pattern: object): string[] {
  const own =
    "type" in pattern && pattern.type === "Identifier" && "name" in pattern ? [String(pattern.name)] : [];
  const inner = Object.values(pattern)
    .flat()
    .filter((one: unknown) => typeof one === "object" && one !== null);
  return [...own, ...inner.flatMap((one: object) => namesIn(one))];
}
