import { isData } from "../../capture/wire/is-data.ts";
import { reviveParts } from "../../capture/revive.ts";
import { capture } from "../../capture/capture.ts";
import { CLOSURE_CODEC, codecNamed } from "../../codec/codec.ts";
import { withResults } from "../../codec/job-markers.ts";
import { encodeOutcome, parseSpec } from "../../codec/wire.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobSpec, Outcome, RunResult, StoredOutcome } from "../../core/messages.ts";
import { awaitedResults } from "./awaited-results.ts";
import { runAs, type Running } from "./current-job.ts";
import type { JobFacts } from "./job-facts.ts";
import type { AnyFunction } from "../functions.ts";
import type { Registry } from "./registry.ts";
import { isGenerator, StreamedResult, type ItemSink } from "./streamed-result.ts";
import { outcomeOfThrown } from "./thrown.ts";
import { traceRun } from "./trace-run.ts";

/** How a run ended; how long it took is for its caller to say. */
export type Ended = Omit<RunResult, "ranMs">;

export interface RunContext {
  readonly registry: Registry;
  readonly unitBytes: (hash: string) => Uint8Array;
  readonly isArbitraryBanned: boolean;
  /** A larger result is kept as data; in bytes. */
  readonly inlineResultBytes: number;
  /** Keeps a result as data of the cluster. `undefined`: it goes to who waits for it, or nowhere. */
  readonly keep: ((result: KeptResult) => Promise<StoredOutcome>) | undefined;
  /** What the jobs came to that the spec names in `after`. */
  readonly outcomes: readonly Uint8Array[];
  /** The bytes of a result that is data of the cluster. */
  readonly read: (url: DataUrl) => Promise<Uint8Array>;
  /** Where the items of a result go that is a generator. */
  readonly items: ItemSink;
  readonly onStream: (stream: StreamedResult) => void;
}

/** Runs one job: decodes, calls, awaits, encodes. Never throws: what goes wrong is the outcome. */
export async function runJob(
  run: number,
  job: JobFacts,
  specBytes: Uint8Array,
  context: RunContext,
): Promise<Ended> {
  let isCaptured = false;
  try {
    const spec = parseSpec(specBytes);
    isCaptured = spec.fn !== null;
    const running = { run, job, mayReviveCode: isArbitraryAllowed(spec, context) };
    if (spec.trace !== null) job.trace = spec.trace;
    const isQueued = context.keep !== undefined;
    const { value, isStreamed } = await traceRun(spec, { id: job.id, attempt: job.attempt, isQueued }, () =>
      valueOf(running, spec, context),
    );
    const bytes = encode(spec.codec, value, "result");
    const outcome = await outcomeOf({ codec: spec.codec, bytes, isEnded: isStreamed }, context);
    return { outcome: encodeOutcome(outcome), isError: false };
  } catch (thrown) {
    return { outcome: outcomeOfThrown(thrown, { keepsClasses: isCaptured }), isError: true };
  }
}

async function valueOf(
  running: Running,
  spec: JobSpec,
  context: RunContext,
): Promise<{ readonly value: unknown; readonly isStreamed: boolean }> {
  const result = await runAs(running, () => call(spec, context));
  const isStreamed = isGenerator(result);
  return {
    isStreamed,
    value: isStreamed ? await runAs(running, () => stream(result, spec, context)) : result,
  };
}

/** A result that was encoded. */
export interface KeptResult {
  readonly codec: string;
  readonly bytes: Uint8Array;
  /** It is what a generator returned. */
  readonly isEnded: boolean;
}

async function outcomeOf(result: KeptResult, { inlineResultBytes, keep }: RunContext): Promise<Outcome> {
  const { codec, bytes, isEnded } = result;
  if (keep !== undefined && bytes.length > inlineResultBytes) return await keep(result);
  checkSize(bytes, "result");
  return { type: isEnded ? "ended" : "value", codec, bytes };
}

function call(spec: JobSpec, context: RunContext): unknown {
  const fn = functionOf(spec, context);
  const args = argumentsOf(spec, context);
  if (!Array.isArray(args)) return callByName(fn, args);
  return spec.after.length === 0 ? fn(...(args as unknown[])) : callWithResults(fn, args, spec, context);
}

async function callWithResults(
  fn: AnyFunction,
  args: readonly unknown[],
  spec: JobSpec,
  context: RunContext,
): Promise<unknown> {
  const { read, outcomes } = context;
  const mayReviveCode = isArbitraryAllowed(spec, context);
  const results = await awaitedResults(spec.after, outcomes, { mayReviveCode, read });
  return await fn(...(withResults(args, results) as never[]));
}

async function callByName(fn: AnyFunction, args: object): Promise<unknown> {
  const { argumentsByName } = await import("./by-name.ts");
  return fn(...(argumentsByName(fn, args) as never[]));
}

function stream(
  generator: ConstructorParameters<typeof StreamedResult>[0],
  { codec }: JobSpec,
  { items, onStream }: RunContext,
): Promise<unknown> {
  const streamed = new StreamedResult(generator, (item) => encodeItem(codec, item), items);
  onStream(streamed);
  return streamed.run();
}

function functionOf(spec: JobSpec, context: RunContext): (...args: unknown[]) => unknown {
  const { registry, unitBytes } = context;
  if (spec.name !== null) return registry.find(spec.namespace, spec.name) as (...args: unknown[]) => unknown;
  if (!isArbitraryAllowed(spec, context))
    throw new KitchenError(
      "KS_ARBITRARY_BANNED",
      `Captured functions are banned in the namespace "${spec.namespace}": call a registered function by its name`,
    );
  const fn = spec.fn === null ? undefined : reviveParts(spec.fn, unitBytes);
  if (typeof fn === "function") return fn as (...args: unknown[]) => unknown;
  throw new KitchenError("KS_BAD_REQUEST", "Cannot run the job: what was captured is no function");
}

function isArbitraryAllowed({ namespace }: JobSpec, { registry, isArbitraryBanned }: RunContext): boolean {
  return !isArbitraryBanned && registry.isArbitraryAllowed(namespace);
}

/** An array, or, of a registered function that is called in JSON, an object with the arguments by name. */
function argumentsOf(spec: JobSpec, context: RunContext): object {
  const args =
    spec.codec === CLOSURE_CODEC ? revivedArguments(spec, context) : codecNamed(spec.codec).decode(spec.args);
  if (Array.isArray(args)) return args;
  if (args === undefined) return [];
  if (spec.name !== null && spec.codec === "json" && typeof args === "object" && args !== null) return args;
  throw new KitchenError(
    "KS_BAD_REQUEST",
    "Cannot run the job: its arguments are no array; send a JSON array such as [1, 2], or an object by name",
  );
}

/** Where captured functions are banned, arguments may not bring code in by the back door. */
function revivedArguments(spec: JobSpec, context: RunContext): unknown {
  if (isData(spec.args) || isArbitraryAllowed(spec, context))
    return reviveParts(spec.args, context.unitBytes);
  throw new KitchenError(
    "KS_ARBITRARY_BANNED",
    `The arguments hold more than plain data, which is banned in the namespace "${spec.namespace}": send data, or use the codec "structured"`,
  );
}

function encodeItem(codec: string, item: unknown): Uint8Array {
  const bytes = encode(codec, item, "item");
  checkSize(bytes, "item");
  return bytes;
}

function encode(codec: string, value: unknown, rootName: "result" | "item"): Uint8Array {
  return codec === CLOSURE_CODEC ? capture(value, { rootName }) : codecNamed(codec).encode(value, rootName);
}

/** What goes through the channel; larger data belong into files. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

function checkSize({ length }: Uint8Array, what: string): void {
  if (length <= MAX_RESULT_BYTES) return;
  const mebibytes = Math.ceil(length / 1024 / 1024);
  throw new KitchenError(
    "KS_TOO_LARGE",
    `Cannot send back the ${what}: it is ${mebibytes} MiB, and the limit is 64 MiB; save it as RemoteData and return that, or queue the call`,
  );
}
