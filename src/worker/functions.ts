import { KitchenError } from "../core/errors.ts";
import type { JsonSchema } from "../core/messages.ts";

/** A function that can be registered. */
export type AnyFunction = (...args: never[]) => unknown;

/** A validator of the Standard Schema family (zod, valibot, arktype …), as far as it is used here. */
export interface StandardSchema<Output = unknown> {
  /** As the specification of Standard Schema has it. */
  readonly "~standard": {
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    /** Of those that can say it in JSON Schema; may throw where that cannot express them. */
    readonly jsonSchema?: { readonly input: (options: { readonly target: "draft-2020-12" }) => JsonSchema };
  };
}
type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const NAMESPACE: unique symbol = Symbol.for("kitchensink.namespace");
const NAME = /^[A-Za-z_$][\w$.-]{0,99}$/;

/** A named set of functions, as a module exports it. */
export interface Namespace<Functions> {
  /** @internal */
  readonly [NAMESPACE]: true;
  /** What clients set `rpcName` to. */
  readonly name: string;
  /** By their names. */
  readonly functions: Functions;
  /** Whether captured functions may run under this name. */
  readonly isArbitraryAllowed: boolean;
}

/**
 * Makes a namespace of registered functions: the default export of a `--module` file.
 *
 * @param options with `arbitrary: false`, bans captured functions in this namespace
 * @throws KitchenError `KS_USAGE` for a bad name, or a value that is no function
 * @example
 * ```ts
 * export default namespace("test", { add: (a: number, b: number) => a + b }, { arbitrary: false });
 * ```
 */
export function namespace<Functions extends Record<string, AnyFunction>>(
  name: string,
  functions: Functions,
  { arbitrary = true }: { arbitrary?: boolean } = {},
): Namespace<Functions> {
  if (!NAME.test(name))
    throw new KitchenError(
      "KS_USAGE",
      `Cannot make a namespace called ${JSON.stringify(name)}: use at most 100 letters, digits and _ $ . -, of which the first is a letter, _ or $`,
    );
  for (const [key, fn] of Object.entries(functions))
    if (typeof fn !== "function")
      throw new KitchenError(
        "KS_USAGE",
        `Cannot register ${name}.${key}: it is a ${typeof fn}, not a function`,
      );
  return { [NAMESPACE]: true, name, functions, isArbitraryAllowed: arbitrary };
}

export function isNamespace(value: unknown): value is Namespace<Record<string, AnyFunction>> {
  return typeof value === "object" && value !== null && NAMESPACE in value;
}

/**
 * Makes a function of one argument that is checked by a Standard Schema before `run` sees it.
 *
 * @returns a function that throws KitchenError `KS_INVALID_ARGUMENTS` when it is called with what the schema refuses
 * @example
 * ```ts
 * export const resize = define({ input: z.object({ width: z.number() }), run: ({ width }) => width * 2 });
 * ```
 */
export function define<Input, Result>(definition: {
  readonly input: StandardSchema<Input>;
  readonly run: (input: Input) => Result;
}): (input: Input) => Promise<Awaited<Result>> {
  const { input: schema, run } = definition;
  const checked = async (input: Input): Promise<Awaited<Result>> => {
    const result = await schema["~standard"].validate(input);
    if (result.issues !== undefined)
      throw new KitchenError(
        "KS_INVALID_ARGUMENTS",
        `The arguments do not fit: ${result.issues.map(issueText).join("; ")}`,
      );
    return await run(result.value);
  };
  // What people see when they list the functions is what they wrote.
  Object.defineProperty(checked, "name", { value: run.name });
  definitions.set(checked, { input: schema, run });
  return checked;
}

interface Definition {
  readonly input: StandardSchema;
  readonly run: AnyFunction;
}

const definitions = new WeakMap<AnyFunction, Definition>();

/** The function that a person wrote: for one made by {@link define} its `run`, else the function itself. */
export function writtenFunction(fn: AnyFunction): AnyFunction {
  return definitions.get(fn)?.run ?? fn;
}

/** The schema of a function's one argument, when it was made by {@link define}. */
export function schemaOf(fn: AnyFunction): StandardSchema | undefined {
  return definitions.get(fn)?.input;
}

function issueText({ message, path = [] }: SchemaIssue): string {
  const keys = path.map((step) => String(typeof step === "object" ? step.key : step));
  return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
}
