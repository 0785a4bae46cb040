import { captureParts, type Captured, type CodeUnit, type ModulesOption } from "../capture/capture.ts";
import { realmOf } from "../capture/resolve/known.ts";
import { CLOSURE_CODEC, codecNamed } from "../codec/codec.ts";
import { encodeSpec } from "../codec/wire.ts";
import { parseUnitHash, type UnitHash } from "../core/ids.ts";

export type AnyFunction = (...args: never[]) => unknown;

export interface CallOptions {
  readonly namespace: string;
  readonly codec: string;
  readonly modules: ModulesOption;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly streamsOutput: boolean;
}

/** What to call, made portable: a captured function, or the name of a registered one. */
export interface Callee {
  readonly name: string | null;
  readonly label: string;
  readonly captured: Captured | undefined;
  /** The global object of the vm context that a captured function belongs to, when it is not that of this package. */
  readonly realm: object | undefined;
}

export interface EncodedCall {
  readonly spec: Uint8Array;
  /** The code that the call needs, to be sent to a node once. */
  readonly units: readonly CodeUnit[];
}

/**
 * Captures the function as of now.
 * @throws KitchenError `KS_CANNOT_CAPTURE`
 */
export function calleeOf(
  fn: AnyFunction | string,
  { namespace, modules }: Pick<CallOptions, "namespace" | "modules">,
): Callee {
  if (typeof fn === "string")
    return { name: fn, label: `${namespace}.${fn}`, captured: undefined, realm: undefined };
  const captured = captureParts(fn, { modules });
  return { name: null, label: fn.name || "anonymous", captured, realm: realmOf(fn) };
}

/**
 * Makes a call portable, the arguments by the codec and as of now.
 * @throws KitchenError `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE`, `KS_UNKNOWN_CODEC`
 */
export function encodeCall(callee: Callee, args: readonly unknown[], options: CallOptions): EncodedCall {
  const { name, label, captured } = callee;
  const encoded = encodeArguments(args, options);
  const units = captured === undefined ? encoded.units : [...captured.units, ...encoded.units];
  const spec = encodeSpec({
    namespace: options.namespace,
    name,
    label,
    units: hashesOf(units),
    codec: options.codec,
    fn: captured?.graph ?? null,
    args: encoded.bytes,
    timeoutMs: options.timeoutMs,
    retries: options.retries,
    streamsOutput: options.streamsOutput,
  });
  return { spec, units };
}

function encodeArguments(
  args: readonly unknown[],
  { codec, modules }: CallOptions,
): { bytes: Uint8Array; units: readonly CodeUnit[] } {
  if (codec !== CLOSURE_CODEC) return { bytes: codecNamed(codec).encode(args, "args"), units: [] };
  const { graph, units } = captureParts(args, { rootName: "args", modules });
  return { bytes: graph, units };
}

function hashesOf(units: readonly CodeUnit[]): UnitHash[] {
  return [...new Set(units.map(({ hash }) => parseUnitHash(hash)))];
}
