/** The program of a worker process: takes runs from its node over the channel, one at a time. */
import { inspect } from "node:util";
import { setLateDataAccess } from "../../client/remote-data/data-access.ts";
// oxlint-disable-next-line import/no-unassigned-import -- makes RemoteData known by its name, for values that hold some
import "../../client/remote-data/remote-data.ts";
import { setSurroundingTrace } from "../../client/tracing.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { ToWorker, WorkerSettings } from "../../core/messages.ts";
import { Channel } from "./channel.ts";
import { currentRun, currentTrace } from "./current-job.ts";
import { JobFacts } from "./job-facts.ts";
import { createNodeData } from "./late-data.ts";
import type { NodeData } from "./node-data.ts";
import { runJob, type Ended } from "./run-job.ts";
import { installImporter, loadModules } from "./modules.ts";
import { EXIT_CODES } from "../../core/exit-codes.ts";
import { installSources, keepModules } from "../sources/install.ts";
import { Registry } from "./registry.ts";
import type { ItemSink, StreamedResult } from "./streamed-result.ts";
import { installStdio, markerOf, writeMarkers } from "./stdio.ts";
import { outcomeOfThrown, withoutOwnFrames } from "./thrown.ts";

type Run = Extract<ToWorker, { type: "run" }>;
/** A run that was cancelled or recalled before its turn, in its place among the others. */
interface SkippedRun {
  readonly type: "skipped";
  readonly run: number;
}

/** While short runs follow each other, their results leave together, but none waits longer, unless the next one blocks. */
const RESULT_DELAY_MS = 1;

interface Current {
  readonly run: Run;
  readonly job: JobFacts;
  /** Ends the run with an error that was thrown outside its own promise. */
  readonly fail: (thrown: unknown) => void;
  /** Its result, when that is a generator. */
  stream?: StreamedResult;
}

const channel = new Channel();
const registry = new Registry();
const units = new Map<string, Uint8Array>();
const waiting: (Run | SkippedRun)[] = [];
let settings: WorkerSettings | undefined;
let nodeData: NodeData | undefined;
let marker: Buffer = Buffer.alloc(0);
let current: Current | undefined;
let isDraining = false;

installStdio({
  isCurrent: (run) => current?.run.run === run,
  onStray: (text) => channel.send({ type: "stray", text }),
});
// Only the node ends a worker: Ctrl-C in its terminal is its own affair.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
const exit = process.exit.bind(process);
// As it was called: without an argument, `process.exitCode` is the code, and with `undefined` it is not.
process.exit = (...code) => {
  const run = currentRun();
  if (run === undefined || run === current?.run.run) return exit(...code);
  // As its promise is over, this is nobody's to catch, and said where stray output goes.
  throw new KitchenError("KS_USAGE", "process.exit() was called after the job that calls it had ended");
};
process.on("uncaughtException", (error) => blame(error));
process.on("unhandledRejection", (reason) => complain("Unhandled rejection:", reason));
channel.listen(receive);

function receive(message: ToWorker): void {
  switch (message.type) {
    case "start":
      void start(message.settings);
      break;
    case "unit":
      // A copy: the frame's buffer holds its neighbours too.
      units.set(message.hash, new Uint8Array(message.bytes));
      break;
    case "forget":
      units.delete(message.hash);
      break;
    case "run":
      waiting.push(message);
      if (!isDraining) void drain();
      break;
    case "cancel":
      cancel(message.run, message.reason);
      break;
    case "recall":
      skip(message.run);
      break;
    case "read":
      if (current?.run.run === message.run) current.stream?.read(message.from, message.isOver);
      break;
    case "describe":
      void describe(message.request, message.namespace);
      break;
    case "declare":
      void declare(message.request, message.namespaces);
      break;
  }
}

async function start(given: WorkerSettings): Promise<void> {
  settings = given;
  marker = markerOf(given.secret);
  try {
    installImporter();
    installSources();
    keepModules();
    if (given.modules.length > 0) await loadModules(given.modules, registry);
    setSurroundingTrace(currentTrace);
    setLateDataAccess(() => ownData(given));
    channel.send({ type: "ready", namespaces: registry.list() });
  } catch (error) {
    channel.send({ type: "module-failed", message: messageOf(error) });
  }
}

/** One for the jobs and for their results. */
function ownData({ access, node }: WorkerSettings): NodeData {
  const onWaiting = (): void => {
    if (current !== undefined) channel.send({ type: "waiting", run: current.run.run });
  };
  return (nodeData ??= createNodeData({ ...access, node: node.name, onWaiting }));
}

async function drain(): Promise<void> {
  isDraining = true;
  let flushedAtMs = performance.now();
  for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
    if (run.type === "run") await execute(run);
    else await endOutput(() => {});
    const nowMs = performance.now();
    if (nowMs - flushedAtMs < RESULT_DELAY_MS && waiting.length > 0) continue;
    channel.flush();
    flushedAtMs = nowMs;
  }
  isDraining = false;
}

async function execute(run: Run): Promise<void> {
  if (settings === undefined) throw new KitchenError("KS_INTERNAL", "A run came before the settings");
  const begunAtMs = performance.now();
  const job = new JobFacts(run, settings.node, (progress) => {
    if (current?.run === run) channel.send({ type: "progress", run: run.run, progress });
  });
  const given = settings;
  const { isArbitraryBanned, inlineResultBytes, keepsResults } = given;
  const failed = new Promise<Ended>((resolve) => {
    const fail = (thrown: unknown): void =>
      resolve({ outcome: outcomeOfThrown(thrown, { keepsClasses: false }), isError: true });
    current = { run, job, fail };
  });
  const ran = runJob(run.run, job, run.spec, {
    registry,
    unitBytes,
    isArbitraryBanned,
    inlineResultBytes,
    keep: keepsResults ? (result) => ownData(given).keepResult(job, result) : undefined,
    outcomes: run.outcomes,
    read: async (url) => (await ownData(given).read(url)).bytes,
    items: itemsOf(run),
    onStream: (stream) => {
      if (current?.run === run) current.stream = stream;
    },
  });
  const { outcome, isError } = await Promise.race([ran, failed]);
  job.flushProgress();
  current?.stream?.stop();
  current = undefined;
  const ranMs = performance.now() - begunAtMs;
  await endOutput((error) => {
    const lost = { outcome: outcomeOfThrown(error, { keepsClasses: false }), isError: true, ranMs };
    channel.post({ type: "finished", run: run.run, result: lost });
  });
  channel.post({ type: "finished", run: run.run, result: { outcome, isError, ranMs } });
}

/**
 * Ends a run's output. When it closed stdout or stderr, no later run could end its own in this process, which ends then:
 * `onLost` can still say something.
 */
async function endOutput(onLost: (error: KitchenError) => void): Promise<void> {
  try {
    writeMarkers(marker);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `Cannot tell where the job's output ends: it closed its stdout or stderr (${code})`;
    onLost(new KitchenError("KS_WORKER_LOST", message, { cause }));
    channel.end(() => exit(EXIT_CODES["closed-output"]));
    await new Promise<never>(() => {});
  }
}

/** Items of a run that is over already go nowhere. */
function itemsOf({ run }: Run): ItemSink {
  const isCurrent = (): boolean => current?.run.run === run;
  return {
    open: () => isCurrent() && channel.post({ type: "streaming", run }),
    post: (bytes) => isCurrent() && channel.post({ type: "item", run, bytes }),
    flush: () => channel.flush(),
  };
}

function unitBytes(hash: string): Uint8Array {
  const bytes = units.get(hash);
  if (bytes !== undefined) return bytes;
  throw new KitchenError("KS_STATE_LOST", `The code unit ${hash} never reached this worker`);
}

function cancel(run: number, reason: string): void {
  if (current?.run.run === run) {
    current.job.abort(new KitchenError("KS_CANCELLED", reason));
    current.stream?.stop();
  } else skip(run);
}

/** Drops a run that has not begun; its place is kept, for its markers. */
function skip(run: number): void {
  const at = waiting.findIndex((candidate) => candidate.type === "run" && candidate.run === run);
  if (at < 0) return;
  waiting[at] = { type: "skipped", run };
  channel.send({ type: "skipped", run });
}

/** A throw that no promise holds, such as a timer's: the run that started it fails, or nobody does. */
function blame(error: unknown): void {
  if (current !== undefined && currentRun() === current.run.run) current.fail(error);
  else complain("Uncaught, after the job that started it had ended:", error);
}

function complain(what: string, thrown: unknown): void {
  process.stderr.write(`${what} ${inspect(withoutOwnFrames(thrown))}\n`);
}

async function describe(request: number, namespace: string): Promise<void> {
  const { describeFunctions } = await import("./describe.ts");
  channel.send({ type: "described", request, functions: describeFunctions(namespace, registry) });
}

async function declare(request: number, namespaces: readonly string[]): Promise<void> {
  const { declareFunctions } = await import("./declare/declare.ts");
  let declarations: string | null = null;
  try {
    declarations = declareFunctions(namespaces, registry);
  } catch (error) {
    complain("Cannot make declarations of the functions:", error);
  }
  channel.send({ type: "declared", request, declarations });
}
