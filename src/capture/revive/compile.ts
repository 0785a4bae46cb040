import { messageOf } from "../../core/errors.ts";
import { constants, Script, type ScriptOptions } from "node:vm";
import { importFor } from "../resolve/importing.ts";
import type { ModuleRef } from "../modules/module-code.ts";
import { type ModuleScope, moduleScope } from "../modules/module-scope.ts";
import { classSupport } from "./stamping.ts";
import { codeText, type CodeText } from "../source/text.ts";
import {
  type CodePlace,
  decodeUnit,
  type FunctionCode,
  hashOf,
  PSEUDO_FILE,
  type ScopeShape,
} from "../wire/units.ts";
import { cannotDecode } from "../wire/wire.ts";

/** A function just made: `put` fills its captured variables, `home` is the object that its `super` looks behind. */
export type Made = readonly [fn: object, put: ((values: readonly unknown[]) => void) | null, home?: object];

/** Makes a function; called with its lexical `this` and `arguments`. */
export type MemberFactory = (this: unknown, ...values: unknown[]) => Made;

/** A scope just made, with what makes the functions and scopes within it. */
export type MadeScope = readonly [
  put: (values: readonly unknown[]) => void,
  members: readonly MemberFactory[],
  children: readonly (() => MadeScope)[],
];

export interface CompiledUnit {
  readonly shape: ScopeShape;
  /** The module at whose top level the functions are made. */
  readonly module: ModuleRef | undefined;
  /** For a unit of one function without shared variables. */
  readonly single: MemberFactory | undefined;
  readonly scope: (() => MadeScope) | undefined;
  /** The file that stacks show for it, and what stands before its text there. */
  readonly shown: CodePlace;
}

const KEPT = 5_000;
const compiled = new Map<string, CompiledUnit>();
const codes = new WeakMap<object, FunctionCode>();

/** Compiles a unit, once for each hash; `unitBytes` is asked only when it is not known here. */
export function compileUnit(hash: string, unitBytes: (hash: string) => Uint8Array): CompiledUnit {
  const known = compiled.get(hash);
  if (known !== undefined) return known;
  const bytes = unitBytes(hash);
  if (hashOf(bytes) !== hash) throw cannotDecode(`the code ${hash} is damaged`);
  const { shape, place, module } = decodeUnit(bytes);
  const isSingle = shape.names.length === 0 && shape.children.length === 0 && shape.members.length === 1;
  const code = codeText(shape, isSingle);
  const made =
    module === undefined
      ? evaluate(code, { hash, shape, place })
      : evaluateInModule(code, { hash, shape, place }, moduleScope(module, shape, unitBytes));
  const unit: CompiledUnit = {
    shape,
    module,
    single: isSingle ? (made as MemberFactory) : undefined,
    scope: isSingle ? undefined : (made as () => MadeScope),
    shown:
      module === undefined && place !== undefined ? place : { url: PSEUDO_FILE + hash, line: 0, column: 0 },
  };
  if (compiled.size >= KEPT) compiled.delete(compiled.keys().next().value as string);
  compiled.set(hash, unit);
  return unit;
}

export function compiledUnits(): Iterable<CompiledUnit> {
  return compiled.values();
}

interface Origin {
  readonly hash: string;
  readonly shape: ScopeShape;
  readonly place: CodePlace | undefined;
}

/** In the context that the process runs in: a context of its own would cost thirty times more. */
function evaluate({ text, lead }: CodeText, { hash, shape, place }: Origin): unknown {
  const script = scriptOf(text, {
    filename: place?.url ?? PSEUDO_FILE + hash,
    lineOffset: place?.line ?? 0,
    // What stands before the function on its first line must not move it.
    columnOffset: (place?.column ?? 0) - lead,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const enter = script.runInThisContext() as (support: object, importing: unknown) => unknown;
  return enter(classSupport, importFor(shape));
}

/** With the module's own variables around the functions. */
function evaluateInModule({ text }: CodeText, { hash, shape }: Origin, around: ModuleScope): unknown {
  const enter = around.evaluate(text, PSEUDO_FILE + hash) as (support: object, importing: unknown) => unknown;
  return enter(classSupport, around.importing ?? importFor(shape));
}

/** What makes a function inside of the class whose private names it uses; undefined when evaluating it gives nothing. */
export function embeddedFactory(
  code: FunctionCode,
  evaluateInside: (text: string) => unknown,
): MemberFactory | undefined {
  const shape: ScopeShape = { names: [], members: [code], children: [] };
  const enter = evaluateInside(codeText(shape, true).text);
  if (typeof enter !== "function") return undefined;
  return (enter as (support: object, importing: unknown) => MemberFactory)(classSupport, importFor(shape));
}

/** @throws KitchenError `KS_CANNOT_DECODE` for syntax that this version of Node does not know */
function scriptOf(text: string, options: ScriptOptions): Script {
  try {
    return new Script(text, options);
  } catch (cause) {
    const why = messageOf(cause);
    throw cannotDecode(`this version of Node cannot read the text of a function: ${why}`, cause);
  }
}

/** Remembers the text of a function whose own differs from it, because it was made with exchanges. */
export function setCode(fn: object, code: FunctionCode): void {
  if (code.klass !== undefined || code.imports !== undefined || code.computedName !== undefined)
    codes.set(fn, code);
}

/** The code that a function here was revived from, when its own text does not tell. */
export function codeOf(fn: object): FunctionCode | undefined {
  return codes.get(fn);
}
