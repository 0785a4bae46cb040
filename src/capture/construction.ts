import type * as ESTree from "estree";
import { type Analysis, analyse } from "./analyse.ts";
import { bodyOf, sourceOf } from "./classes.ts";
import { constructorIn, readConstructor } from "./constructors.ts";
import { isGlobalName } from "./known.ts";
import { changesNothing } from "./side-effects.ts";
import { loudnessOf, type Surrounding } from "./quiet.ts";
import { type Scope, surroundingsOf } from "./scopes.ts";

/** What making an instance of a class runs, as far as its text and the variables around it tell. */
export interface Construction {
  readonly isDerived: boolean;
  readonly hasConstructor: boolean;
  readonly privateFields: readonly string[];
  /** Private methods and accessors. */
  readonly privateMethods: readonly string[];
  /** The constructor does more than put on fields, so it has to be left before that. */
  readonly mustLeave: boolean;
}

/** Undefined when putting on the fields of a class may do more than that. */
export function constructionOf(klass: object): Construction | undefined {
  const analysis = analyse(sourceOf(klass));
  const { superClass } = analysis.node as ESTree.Class;
  const isDerived = superClass != null;
  // With a parent of null super() throws, and the parent of a frozen class cannot be exchanged for a moment.
  if (superClass?.type === "Literal" || (isDerived && !Object.isExtensible(klass))) return undefined;
  const body = bodyOf(analysis);
  const fields = body
    .filter((member) => member.type === "PropertyDefinition")
    .filter((member) => !member.static);
  const privateFields = privateNames(fields);
  const around = surroundingIn(klass, analysis, privateFields);
  const maker = constructorIn(body);
  const run = maker === undefined ? RUNS_NOTHING : readConstructor(maker, { isDerived, around });
  if (run === undefined || !areQuiet(run.superArguments, { klass, analysis, around: run.around ?? around }))
    return undefined;
  const values = fields.flatMap(({ value }) => value ?? []);
  if (!areQuiet(values, { klass, analysis, around })) return undefined;
  const methods = body
    .filter((member) => member.type === "MethodDefinition")
    .filter((member) => !member.static);
  return {
    isDerived,
    hasConstructor: maker !== undefined,
    privateFields,
    privateMethods: [...new Set(privateNames(methods))],
    mustLeave: run.mustLeave,
  };
}

const RUNS_NOTHING = { superArguments: [], mustLeave: false, around: undefined } as const;

function privateNames(members: readonly (ESTree.PropertyDefinition | ESTree.MethodDefinition)[]): string[] {
  return members.flatMap(({ key }) => (key.type === "PrivateIdentifier" ? key.name : []));
}

interface Reading {
  readonly klass: object;
  readonly analysis: Analysis;
  readonly around: Surrounding;
}

/** Whether evaluating expressions does nothing but make values; V8 has the last word where they call something. */
function areQuiet(expressions: readonly ESTree.Expression[], { klass, analysis, around }: Reading): boolean {
  return expressions.every((expression) => {
    const read = new Map<string, unknown>();
    const loudness = loudnessOf(expression, { ...around, read });
    if (loudness !== "doubtful") return loudness === "quiet";
    const { start, end } = expression as unknown as { start: number; end: number };
    const text = sourceOf(klass).slice(start - analysis.offset, end - analysis.offset);
    return !/\bthis\b|#/.test(text) && changesNothing(text, read);
  });
}

function surroundingIn(klass: object, { node }: Analysis, privateFields: readonly string[]): Surrounding {
  const ownName = "id" in node ? node.id?.name : undefined;
  let scopes: readonly Scope[] | undefined;
  return {
    absorbing: new Set(),
    read: new Map(),
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
