import { captureParts, type CodeUnit, type ModulesOption } from "../capture/capture.ts";
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

export interface EncodedCall {
  readonly label: string;
  readonly spec: Uint8Array;
  /** The code that the call needs, to be sent to a node once. */
  readonly units: readonly CodeUnit[];
}

/**
 * Makes a call portable: the function as captured (or by its name), the arguments by the codec, both as of now.
 * @throws KitchenError `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE`, `KS_UNKNOWN_CODEC`
 */
export function encodeCall(
  fn: AnyFunction | string,
  args: readonly unknown[],
  options: CallOptions,
): EncodedCall {
  const captured = typeof fn === "string" ? undefined : captureParts(fn, { modules: options.modules });
  const encoded = encodeArguments(args, options);
  const units = captured === undefined ? encoded.units : [...captured.units, ...encoded.units];
  const label = typeof fn === "string" ? `${options.namespace}.${fn}` : fn.name || "anonymous";
  const spec = encodeSpec({
    namespace: options.namespace,
    name: typeof fn === "string" ? fn : null,
    label,
    units: hashesOf(units),
    codec: options.codec,
    fn: captured?.graph ?? null,
    args: encoded.bytes,
    timeoutMs: options.timeoutMs,
    retries: options.retries,
    streamsOutput: options.streamsOutput,
  });
  return { label, spec, units };
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
