import type * as ESTree from "estree";
import { type Analysis, analyse } from "../source/analyse.ts";
import { bodyOf, sourceOf } from "../source/class-text.ts";
import { endOf, startOf } from "../source/offsets.ts";
import { constructorIn, readConstructor } from "./constructors.ts";
import { isGlobalName } from "../resolve/known.ts";
import { changesNothing } from "./side-effects.ts";
import { isQuiet, type Surrounding } from "./quiet.ts";
import { type Scope, surroundingsOf } from "../scopes/scopes.ts";

/** What making an instance of a class runs, as far as its text and the variables around it tell. */
export interface Construction {
  readonly isDerived: boolean;
  readonly hasConstructor: boolean;
  readonly privateFields: readonly string[];
  /** Private methods and accessors. */
  readonly privateMethods: readonly string[];
  /** The constructor does more than put on fields, so it has to be left before that. */
  readonly mustLeave: boolean;
  /** Names of public fields that the constructor sets although it is not left. */
  readonly assigned: readonly string[];
}

/** Undefined when putting on the fields of a class may do more than that. */
export function constructionOf(klass: object): Construction | undefined {
  const analysis = analyse(sourceOf(klass));
  const { superClass } = analysis.node as ESTree.Class;
  const isDerived = superClass != null;
  // With a parent of null super() throws, and the parent of a frozen class cannot be exchanged for a moment.
  if (superClass?.type === "Literal" || (isDerived && !Object.isExtensible(klass))) return undefined;
  const body = bodyOf(analysis);
  const { fields, methods } = membersIn(body);
  const privateFields = privateNames(fields);
  const around = surroundingIn(klass, analysis, privateFields);
  const maker = constructorIn(body);
  const run =
    maker === undefined ? { ...RUNS_NOTHING, around } : readConstructor(maker, { isDerived, around });
  if (run === undefined || !areQuiet(run.superArguments, { klass, analysis, around: run.around }))
    return undefined;
  const values = fields.flatMap(({ value }) => value ?? []);
  if (!areQuiet(values, { klass, analysis, around })) return undefined;
  return {
    isDerived,
    hasConstructor: maker !== undefined,
    privateFields,
    privateMethods: [...new Set(privateNames(methods))],
    mustLeave: run.mustLeave,
    assigned: run.assigned,
  };
}

const RUNS_NOTHING = { superArguments: [], mustLeave: false, assigned: [] } as const;

/** Those that instances have. */
function membersIn(body: ReturnType<typeof bodyOf>): {
  fields: ESTree.PropertyDefinition[];
  methods: ESTree.MethodDefinition[];
} {
  const members = body.filter((member) => member.type !== "StaticBlock").filter((member) => !member.static);
  return {
    fields: members.filter((member) => member.type === "PropertyDefinition"),
    methods: members.filter((member) => member.type === "MethodDefinition"),
  };
}

function privateNames(members: readonly (ESTree.PropertyDefinition | ESTree.MethodDefinition)[]): string[] {
  return members.flatMap(({ key }) => (key.type === "PrivateIdentifier" ? key.name : []));
}

interface Reading {
  readonly klass: object;
  readonly analysis: Analysis;
  readonly around: Surrounding;
}

/** Whether evaluating expressions does nothing but make values, by their text or by the word of V8. */
function areQuiet(expressions: readonly ESTree.Expression[], { klass, analysis, around }: Reading): boolean {
  return expressions.every((expression) => {
    if (isQuiet(expression, around)) return true;
    const text = sourceOf(klass).slice(
      startOf(expression) - analysis.offset,
      endOf(expression) - analysis.offset,
    );
    const variables = variablesOf(text, around);
    return variables !== undefined && changesNothing(text, variables);
  });
}

/** What an expression takes from around it; undefined when that is more than the values of variables. */
function variablesOf(text: string, { variable }: Surrounding): Map<string, unknown> | undefined {
  const { free, ...uses } = analyse(`() => (${text})`);
  const usesMore =
    uses.usesThis || uses.usesArguments || uses.usesNewTarget || uses.usesSuper || uses.callsEval;
  if (usesMore || uses.privateNames.length > 0 || uses.imports.length > 0) return undefined;
  const variables = new Map<string, unknown>();
  for (const [name, isWritten] of free) {
    const found = variable(name);
    if (found === undefined || isWritten) return undefined;
    variables.set(name, found.value);
  }
  return variables;
}

function surroundingIn(klass: object, { node }: Analysis, privateFields: readonly string[]): Surrounding {
  const ownName = "id" in node ? node.id?.name : undefined;
  let scopes: readonly Scope[] | undefined;
  return {
    fields: new Set(privateFields),
    variable: (name) =>
      name === ownName ? { value: klass } : valueIn((scopes ??= surroundingsOf(klass).scopes), name),
  };
}

function valueIn(scopes: readonly Scope[], name: string): { value: unknown } | undefined {
  const scope = scopes.find(({ kind, variables }) => kind !== "global" && Object.hasOwn(variables, name));
  try {
    return scope === undefined ? globalValue(scopes, name) : { value: scope.variables[name] };
  } catch {
    // It has no value yet.
    return undefined;
  }
}

/** Reading what Node makes when it is first asked for shows nowhere, but for what lies on the disk. */
function globalValue(scopes: readonly Scope[], name: string): { value: unknown } | undefined {
  const globals = scopes.at(-1)?.variables ?? globalThis;
  const descriptor = Reflect.getOwnPropertyDescriptor(globals, name);
  if (descriptor === undefined || "value" in descriptor) return descriptor && { value: descriptor.value };
  return isGlobalName(name) && !name.endsWith("Storage") ? { value: Reflect.get(globals, name) } : undefined;
}
