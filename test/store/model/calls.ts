/** The calls that the model knows, done to it and to a store, and what can be seen of either from outside. */
import type { JobId, NodeName } from "../../../src/core/ids.ts";
import type { WaitingQueue } from "../../../src/store/inspection.ts";
import type { NodeRecord, NodeRegistration } from "../../../src/store/membership.ts";
import type {
  ClaimRequest,
  ExpiryRow,
  FinishRow,
  JobFacts,
  JobRecord,
  OutputPiece,
  OutputRow,
  PlacementRow,
  ProgressRow,
  ReleaseRow,
  RunningJob,
  Store,
  StoreEvent,
  StreamingRow,
  SubmitBatch,
} from "../../../src/store/port.ts";
import { told, type Told } from "./moves.ts";
import { countWaiting, holdsLease, type Job, jobsAt, type Sent, stateOf, type World } from "./state.ts";
import { UNITS } from "./steps.ts";
import * as membership from "./membership.ts";
import * as transitions from "./transitions.ts";

export type Call =
  | { readonly do: "submit"; readonly batch: SubmitBatch }
  | { readonly do: "claim"; readonly request: ClaimRequest }
  | { readonly do: "finish"; readonly node: NodeName; readonly rows: readonly FinishRow[] }
  | { readonly do: "cancel"; readonly node: NodeName; readonly ids: readonly JobId[]; outcome: Uint8Array }
  | { readonly do: "watch"; readonly node: NodeName; readonly ids: readonly JobId[] }
  | { readonly do: "stream"; readonly node: NodeName; readonly rows: readonly StreamingRow[] }
  | { readonly do: "progress"; readonly node: NodeName; readonly rows: readonly ProgressRow[] }
  | { readonly do: "output"; readonly node: NodeName; readonly rows: readonly OutputRow[] }
  | { readonly do: "place"; readonly node: NodeName; readonly rows: readonly PlacementRow[] }
  | { readonly do: "release"; readonly node: NodeName; readonly rows: readonly ReleaseRow[] }
  | { readonly do: "expire"; readonly node: NodeName; readonly rows: readonly ExpiryRow[] }
  | { readonly do: "register" | "heartbeat"; readonly registration: NodeRegistration }
  | { readonly do: "leave"; readonly node: NodeName }
  | { readonly do: "sweep"; readonly node: NodeName; readonly maxDeaths: number }
  | { readonly do: "pass"; readonly ms: number };

/** What a call does by the specification. */
export function perform(world: World, call: Call): Told<unknown> {
  switch (call.do) {
    case "submit":
      return transitions.submit(world, call.batch);
    case "claim":
      return transitions.claim(world, call.request);
    case "finish":
      return transitions.finish(world, call.node, call.rows);
    case "cancel":
      return transitions.cancel(world, call.ids, call.outcome);
    case "watch": {
      const after = transitions.watch(world, call.ids, call.node);
      return told(
        after,
        call.ids.map((id) => recordOf(after.jobs.get(id))),
      );
    }
    case "stream":
      return transitions.markStreaming(world, call.node, call.rows);
    case "progress":
      return transitions.reportProgress(world, call.node, call.rows);
    case "output":
      return transitions.appendOutput(world, call.node, call.rows);
    case "place":
      return transitions.placeAnew(world, call.rows);
    case "release":
      return transitions.release(world, call.rows);
    case "expire":
      return transitions.expire(world, call.rows);
    case "register":
      return membership.register(world, call.registration);
    case "heartbeat":
      return membership.heartbeat(world, call.registration);
    case "leave":
      return membership.leave(world, call.node);
    case "sweep":
      return membership.sweep(world, call.node, call.maxDeaths);
    case "pass":
      return told(transitions.pass(world, call.ms), undefined);
  }
}

/** The node whose call it is; none of time's. */
export function callerOf(call: Call): NodeName | undefined {
  switch (call.do) {
    case "submit":
      return call.batch.watcher;
    case "claim":
      return call.request.node;
    case "register":
    case "heartbeat":
      return call.registration.name;
    case "pass":
      return undefined;
    default:
      return call.node;
  }
}

/** The same call made of a store. Time passes elsewhere. */
export async function ask(store: Store, call: Exclude<Call, { do: "pass" }>): Promise<unknown> {
  switch (call.do) {
    case "submit":
      return store.submit(call.batch);
    case "claim":
      return store.claim(call.request);
    case "finish":
      return store.finish(call.node, call.rows);
    case "cancel":
      return store.cancel(call.ids, call.outcome);
    case "watch":
      return store.watch(call.ids, call.node);
    case "stream":
      return store.markStreaming(call.node, call.rows);
    case "progress":
      return store.reportProgress(call.node, call.rows);
    case "output":
      return store.appendOutput(call.node, call.rows);
    case "place":
      return store.place(call.rows);
    case "release":
      return store.release(call.rows);
    case "expire":
      return store.expire(call.rows);
    case "register":
    case "heartbeat":
      return store[call.do](call.registration);
    case "leave":
      return store.leave(call.node);
    case "sweep":
      return store.sweep(call.node, call.maxDeaths);
  }
}

/** What can be seen from outside. */
export interface Seen {
  readonly records: readonly (JobRecord | undefined)[];
  readonly facts: readonly (JobFacts | undefined)[];
  readonly active: readonly JobId[];
  /** Of more than there are. */
  readonly someActive: readonly JobId[];
  readonly nodes: readonly NodeRecord[];
  readonly output: readonly (readonly OutputPiece[])[];
  readonly specs: readonly (Uint8Array | undefined)[];
  /** How large those units are that are there. */
  readonly units: readonly (number | undefined)[];
  readonly running: readonly (readonly RunningJob[])[];
  readonly waiting: readonly WaitingQueue[];
  readonly unplaced: number;
}

export function see(world: World, ids: readonly JobId[], nodes: readonly NodeName[]): Seen {
  const records = ids.map((id) => recordOf(world.jobs.get(id)));
  const active = [...world.jobs.values()].filter(transitions.isActive).map(({ given }) => given.id);
  return {
    records,
    facts: records.map(factsOf),
    active,
    someActive: active,
    nodes: nodesOf(world),
    output: ids.map((id) => world.jobs.get(id)?.output ?? []),
    specs: ids.map((id) => specOf(world.jobs.get(id))),
    units: UNITS.map((hash) => (world.units.has(hash) ? hash.length : undefined)),
    running: nodes.map((node) => runningOn(world, node)),
    waiting: waitingIn(world),
    unplaced: jobsAt(world, "unplaced").length,
  };
}

export async function seen(store: Store, ids: readonly JobId[], names: readonly NodeName[]): Promise<Seen> {
  const [
    records,
    facts,
    active,
    someActive,
    nodes,
    output,
    specs,
    units,
    running,
    { queues: waiting, unplaced },
  ] = await Promise.all([
    store.read(ids),
    store.look(ids),
    store.activeJobs(),
    store.someActive(1_000),
    store.nodes(),
    Promise.all(ids.map((id) => store.readOutput(id, 0))),
    Promise.all(ids.map((id) => store.spec(id))),
    store.unitSizes(UNITS),
    Promise.all(names.map((name) => store.runningJobs(name))),
    store.waiting(),
  ]);
  return { records, facts, active, someActive, nodes, output, specs, units, running, waiting, unplaced };
}

/** What is needed to make it once more; a job that has succeeded need not be. */
function specOf(job: Job | undefined): Uint8Array | undefined {
  return job === undefined || stateOf(job) === "succeeded" ? undefined : job.given.spec;
}

function waitingIn(world: World): WaitingQueue[] {
  const names = new Set(Array.from(world.jobs.values(), ({ given }) => given.queue));
  const counts = Array.from(names, (queue) => ({ queue, jobs: countWaiting(world, queue) }));
  return counts.filter(({ jobs }) => jobs > 0);
}

function runningOn(world: World, name: NodeName): RunningJob[] {
  return jobsAt(world, "node")
    .filter(({ node, place }) => node === name && place.at === "node" && place.lostNode === undefined)
    .map(({ given: { id }, attempt, deaths, throws }) => ({ id, attempt, deaths, throws }));
}

function factsOf(record: JobRecord | undefined): JobFacts | undefined {
  if (record === undefined) return undefined;
  const { placement: _placement, outcome: _outcome, pastDeaths: _pastDeaths, ...facts } = record;
  return facts;
}

function recordOf(job: Job | undefined): JobRecord | undefined {
  if (job === undefined) return undefined;
  const { given, attempt, deaths, node, createdAtMs, startedAtMs, streams, place } = job;
  const { id, queue, label, priority, placement } = given;
  const ended = place.at === "end" ? place : undefined;
  return {
    id,
    state: stateOf(job),
    queue,
    label,
    priority,
    attempt,
    deaths,
    node,
    createdAtMs,
    startedAtMs,
    finishedAtMs: ended?.atMs,
    streams,
    progress: place.at === "node" ? job.progress : undefined,
    placement,
    outcome: ended?.outcome,
    pastDeaths: job.pastDeaths,
  };
}

function nodesOf(world: World): NodeRecord[] {
  const there = [...world.leases].filter(([name]) => holdsLease(world, name));
  return there.map(([name, { registration, endsAtMs }]) => ({
    name,
    facts: registration.facts,
    leaseEndsAtMs: endsAtMs,
    runningJobs: jobsAt(world, "node").filter(({ node }) => node === name).length,
  }));
}

/** What one node hears of what is sent out by one call: of a queue's wake-ups the earliest. */
export function heardBy(node: NodeName, sent: readonly Sent[]): StoreEvent[] {
  const own = sent.flatMap((one) => ("event" in one && one.to === node ? [one.event] : []));
  const wakes = new Map<string, number>();
  for (const one of sent) {
    if ("event" in one || one.except === node || !concerns(one.queue, node)) continue;
    wakes.set(one.queue, Math.min(wakes.get(one.queue) ?? Infinity, one.delayMs));
  }
  return [...own, ...Array.from(wakes, ([queue, delayMs]) => ({ type: "wake", queue, delayMs }) as const)];
}

function concerns(queue: string, node: NodeName): boolean {
  return !queue.includes("|") || queue.endsWith(`|${node}`);
}
