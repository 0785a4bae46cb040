import { captureParts, type Captured, type CodeUnit, type ModulesOption } from "../../capture/capture.ts";
import { realmOf } from "../../capture/resolve/known.ts";
import { CLOSURE_CODEC, codecNamed, isBuiltIn } from "../../codec/codec.ts";
import { notingPointers } from "../../codec/pointers.ts";
import { withJobMarkers } from "../../codec/job-markers.ts";
import { encodeSpec, MAX_AFTER, MAX_INPUTS } from "../../codec/wire.ts";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId, UnitHash } from "../../core/ids.ts";
import type { TraceContext } from "../../core/trace.ts";
import { findPointers } from "./find-pointers.ts";
import { isJobRefusal, jobIdOf } from "./job-argument.ts";

export type AnyFunction = (...args: never[]) => unknown;

export interface CallOptions {
  readonly namespace: string;
  readonly codec: string;
  readonly modules: ModulesOption;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly ttlMs: number;
  readonly idempotent: boolean;
  readonly streamsOutput: boolean;
  /** Whether the call is to go where the data lies that it points to. */
  readonly routeData: boolean;
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
  /** Whether it waits for other jobs. */
  readonly isBlocked: boolean;
  /** The code that the call needs, to be sent to a node once. */
  readonly units: readonly CodeUnit[];
  /** The data that the function and the arguments point to, each once. */
  readonly inputs: readonly DataUrl[];
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
 * @throws KitchenError `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE`, `KS_UNKNOWN_CODEC`, `KS_TOO_LARGE`; `KS_USAGE` for
 *   RemoteData that is not saved
 */
export function encodeCall(
  callee: Callee,
  args: readonly unknown[],
  options: CallOptions,
  trace: TraceContext | null,
): EncodedCall {
  const { name, label, captured } = callee;
  const encoded = encodeWithJobs(args, options);
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
    retryDelayMs: options.retryDelayMs,
    ttlMs: options.ttlMs,
    isIdempotent: options.idempotent,
    after: encoded.after,
    trace,
  });
  const inputs = options.routeData ? inputsOf(captured?.pointers, encoded.pointers) : NO_INPUTS;
  return { spec, units, inputs, isBlocked: encoded.after.length > 0 };
}

interface EncodedArguments {
  readonly bytes: Uint8Array;
  readonly units: readonly CodeUnit[];
  readonly pointers: readonly string[];
}

/** Most calls have no jobs among their arguments, so nobody looks for any before the codec comes upon one. */
function encodeWithJobs(
  args: readonly unknown[],
  options: CallOptions,
): EncodedArguments & { readonly after: readonly JobId[] } {
  try {
    return { ...encodeArguments(args, options), after: NO_JOBS };
  } catch (error) {
    if (!isJobRefusal(error)) throw error;
    const { args: marked, ids } = withJobMarkers(args, jobIdOf);
    checkAfter(ids);
    return { ...encodeArguments(marked, options), after: ids };
  }
}

const NO_JOBS: readonly JobId[] = [];

function checkAfter({ length }: readonly JobId[]): void {
  if (length <= MAX_AFTER) return;
  throw new KitchenError(
    "KS_TOO_LARGE",
    `Cannot wait for ${length} jobs in one call: at most ${MAX_AFTER} may stand among its arguments (gather them in steps, each a call of its own)`,
  );
}

const NO_INPUTS: readonly DataUrl[] = [];

function inputsOf(ofFunction: readonly string[] = [], ofArguments: readonly string[]): readonly DataUrl[] {
  if (ofFunction.length === 0 && ofArguments.length === 0) return NO_INPUTS;
  const urls = new Set([...ofFunction, ...ofArguments]);
  if (urls.size <= MAX_INPUTS) return Array.from(urls, parseDataUrl);
  throw new KitchenError(
    "KS_TOO_LARGE",
    `Cannot choose a node for a call that points to ${urls.size} different data: at most ${MAX_INPUTS} are looked at (save them together as one, or call with({ routeData: false }), which does not look)`,
  );
}

function encodeArguments(args: readonly unknown[], { codec, modules }: CallOptions): EncodedArguments {
  if (codec === CLOSURE_CODEC) {
    const { graph, units, pointers } = captureParts(args, { rootName: "args", modules });
    return { bytes: graph, units, pointers };
  }
  const known = codecNamed(codec);
  const found = isBuiltIn(known) ? [] : findPointers(args, "args");
  const { result, targets } = notingPointers(() => known.encode(args, "args"));
  return { bytes: result, units: [], pointers: [...found, ...targets] };
}

function hashesOf(units: readonly CodeUnit[]): UnitHash[] {
  return units.length < 2 ? units.map(({ hash }) => hash) : [...new Set(units.map(({ hash }) => hash))];
}
