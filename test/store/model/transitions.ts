/**
 * What each call about jobs does to the world, and what it answers: the port's contract as pure functions. Those about nodes are
 * in membership.ts.
 */
import { isContentId, type JobId, type NodeName, type UnitHash } from "../../../src/core/ids.ts";
import type {
  CancelReply,
  ClaimReply,
  ClaimRequest,
  Expiring,
  ExpiryRow,
  FinishReply,
  FinishRow,
  NewJob,
  OutputRow,
  PlacementRow,
  ProgressRow,
  ReleaseRow,
  StreamingRow,
  SubmitBatch,
  SubmitReply,
} from "../../../src/store/port.ts";
import { add, each, end, endAsAsked, pause, put, start, told, type Told, wait } from "./moves.ts";
import {
  countWaiting,
  expiryOf,
  holdsLease,
  inOrder,
  isOverdue,
  isWaiting,
  type Job,
  jobsAt,
  stateOf,
  type World,
} from "./state.ts";

export function submit(world: World, { watcher, jobs, units, needs }: SubmitBatch): Told<SubmitReply> {
  const added = each(forgetInVain(world, jobs), jobs, (next, given) => submitOne(next, given, watcher));
  const conflict = added.reply.indexOf("conflict");
  if (conflict >= 0) return told(world, { type: "conflict", id: jobs[conflict]!.id });
  const asked = needs.filter((hash) => !units.has(hash));
  const used = useUnits(world, asked);
  const missing = asked.filter((hash) => !used.units.has(hash));
  if (missing.length > 0) return told(used, { type: "missing", units: missing });
  const full = jobs[added.reply.indexOf("full")]?.queue;
  const { queueLimit: limit } = world.settings;
  if (full !== undefined)
    return told(used, { type: "full", queue: full, waiting: countWaiting(world, full), limit });
  const rows = added.reply.map((row) => (row === "known" ? "known" : "queued"));
  const after = keepUnits({ ...added.world, units: used.units }, [...units.keys()]);
  return told(after, { type: "queued", rows }, added.sent);
}

function keepUnits(world: World, hashes: readonly UnitHash[]): World {
  const expiresAtMs = world.nowMs + world.settings.unitTtlMs;
  const kept = hashes.map((hash): [UnitHash, number] => [hash, expiresAtMs]);
  return { ...world, units: new Map([...world.units, ...kept]) };
}

/** Those that are there are kept anew. */
function useUnits(world: World, hashes: readonly UnitHash[]): World {
  return keepUnits(
    world,
    hashes.filter((hash) => world.units.has(hash)),
  );
}

function submitOne(
  world: World,
  given: NewJob,
  watcher: NodeName,
): Told<"queued" | "known" | "conflict" | "full"> {
  const known = world.jobs.get(given.id);
  if (known !== undefined && !isSame(known.given.spec, given.spec)) return told(world, "conflict");
  if (known !== undefined) return told(put(world, watched(known, watcher)), "known");
  const added = add(world, given, watcher);
  const waiting = countWaiting(added.world, given.queue);
  const isFull = waiting > world.settings.queueLimit && waiting > countWaiting(world, given.queue);
  return { ...added, reply: isFull ? "full" : "queued" };
}

/** The same call is made anew when it came to nothing. */
function forgetInVain(world: World, jobs: readonly NewJob[]): World {
  const asked = new Set(jobs.map(({ id }) => id));
  const isInVain = ([id, { place }]: readonly [JobId, Job]): boolean =>
    asked.has(id) && isContentId(id) && place.at === "end" && place.state !== "succeeded";
  return { ...world, jobs: new Map([...world.jobs].filter((row) => !isInVain(row))) };
}

export function watch(world: World, ids: readonly JobId[], node: NodeName): World {
  return each(world, ids, (next, id) => {
    const job = next.jobs.get(id);
    return told(job === undefined ? next : put(next, watched(job, node)), undefined);
  }).world;
}

/** A final one tells nobody anything. */
function watched(job: Job, node: NodeName): Job {
  if (job.place.at === "end" || job.watchers.includes(node)) return job;
  return { ...job, watchers: [...job.watchers, node] };
}

export function claim(world: World, request: ClaimRequest): Told<ClaimReply> {
  const { node, queues, count } = request;
  if (!holdsLease(world, node)) return told(world, { type: "lapsed" });
  const names = [...queues.map((queue) => `${queue}|${node}`), ...queues];
  const { world: now, sent } = endPauses(world, names, node);
  const visible = names.flatMap((queue) =>
    inOrder(now.jobs.values()).filter((job) => job.given.queue === queue && mayTake(now, job, request)),
  );
  const taken = visible.filter((job) => !isOverdue(now, job)).slice(0, count);
  const isAll = taken.length < count;
  const cameUpon = isAll ? visible : visible.slice(0, visible.indexOf(taken.at(-1)!) + 1);
  const after = taken.reduce((next, job) => start(next, job, node), passOver(now, cameUpon));
  const jobs = taken.map(({ given: { id, queue, spec }, attempt, deaths, throws, pastDeaths }) => {
    const past = pastDeaths.length === 0 ? {} : { pastDeaths };
    return { id, attempt: attempt + 1, deaths, throws, queue, spec, ...past };
  });
  const nextVisibleMs = isAll ? nextVisible(after, names, request) : undefined;
  return told(after, { type: "claimed", jobs, nextVisibleMs }, sent);
}

/** Jobs whose pause is over wait again where they did before, once somebody asks. */
function endPauses(world: World, names: readonly string[], node: NodeName): Told<unknown> {
  const due = jobsAt(world, "pause").filter(
    ({ given, place }) => names.includes(given.queue) && place.at === "pause" && place.untilMs <= world.nowMs,
  );
  return each(world, due, (next, job) => wait(next, job, { except: node }));
}

function passOver(world: World, jobs: readonly Job[]): World {
  const late = jobs.filter((job) => isOverdue(world, job));
  return late.reduce((next, job) => put(next, { ...job, place: { at: "too late" } }), world);
}

function mayTake(world: World, { place }: Job, request: ClaimRequest): boolean {
  if (place.at === "queue") return true;
  return place.at === "offers" && timesFor(place.visible, request).some((atMs) => atMs <= world.nowMs);
}

function timesFor(
  visible: { readonly atMs: ReadonlyMap<NodeName, number>; readonly othersAtMs: number | undefined },
  { node, takesData }: ClaimRequest,
): number[] {
  const times = [visible.atMs.get(node), takesData ? visible.othersAtMs : undefined];
  return times.filter((atMs) => atMs !== undefined);
}

function nextVisible(world: World, names: readonly string[], request: ClaimRequest): number | undefined {
  const times = [...world.jobs.values()]
    .filter(({ given }) => names.includes(given.queue))
    .flatMap(({ place }) => {
      if (place.at === "pause") return [place.untilMs];
      return place.at === "offers" ? timesFor(place.visible, request) : [];
    });
  return untilFirst(world, times);
}

function untilFirst({ nowMs }: World, times: readonly number[]): number | undefined {
  const first = Math.min(...times.filter((atMs) => atMs > nowMs));
  return first === Infinity ? undefined : first - nowMs;
}

export function finish(world: World, node: NodeName, rows: readonly FinishRow[]): Told<FinishReply[]> {
  return each(world, rows, (next, row): Told<FinishReply> => {
    const job = next.jobs.get(row.id);
    if (job === undefined) return told(next, "fenced");
    const isHeld = runsAs(job, node, row.attempt) && holdsLease(next, node);
    return isHeld ? commit(next, job, node, row) : told(next, repeated(job, node, row));
  });
}

function commit(world: World, job: Job, node: NodeName, row: FinishRow): Told<FinishReply> {
  const asked = job.place.at === "node" ? job.place.asked : undefined;
  const said = { node, attempt: row.attempt };
  if (asked !== undefined) return { ...endAsAsked(world, job, asked, node), reply: { cancelled: asked } };
  if (row.next !== "queued")
    return { ...end(world, job, row.next, row.outcome, { by: said, except: node }), reply: "committed" };
  const { deaths, throws, death, delayMs = 0 } = row;
  const pastDeaths = death === undefined ? job.pastDeaths : [...job.pastDeaths, death];
  const back = { ...job, deaths, throws, pastDeaths, gaveBack: said };
  const moved = delayMs > 0 ? pause(world, back, delayMs, node) : wait(world, back, { except: node });
  return { ...moved, reply: "committed" };
}

/** What was said before is answered as it was then; anything else of an attempt that is over is fenced. */
function repeated({ place, gaveBack }: Job, node: NodeName, row: FinishRow): FinishReply {
  if (row.next === "queued" && gaveBack?.node === node && gaveBack.attempt === row.attempt)
    return "committed";
  if (place.at !== "end" || place.by?.node !== node || place.by.attempt !== row.attempt) return "fenced";
  if (place.wasAsked) return { cancelled: place.outcome };
  return place.state === row.next ? "committed" : "fenced";
}

function runsAs({ place, node, attempt }: Job, on: NodeName, as: number): boolean {
  return place.at === "node" && node === on && attempt === as;
}

export function cancel(world: World, ids: readonly JobId[], outcome: Uint8Array): Told<CancelReply[]> {
  return each(world, ids, (next, id): Told<CancelReply> => {
    const job = next.jobs.get(id);
    if (job === undefined) return told(next, "unknown");
    if (job.place.at === "end") return told(next, "final");
    if (job.place.at !== "node") return { ...end(next, job, "cancelled", outcome), reply: "cancelled" };
    const reply = job.place.asked === undefined ? "cancelling" : "stopping";
    const place = { ...job.place, asked: job.place.asked ?? outcome };
    const event = { type: "cancel", id, attempt: job.attempt } as const;
    return told(put(next, { ...job, place }), reply, [{ to: job.node!, event }]);
  });
}

export function markStreaming(world: World, node: NodeName, rows: readonly StreamingRow[]): Told<void> {
  const { world: after, sent } = each(world, rows, (next, { id, attempt }) => {
    const job = next.jobs.get(id);
    if (job === undefined || !runsAs(job, node, attempt)) return told(next, undefined);
    const event = { type: "streaming", id, attempt } as const;
    const others = job.watchers.filter((to) => to !== node).map((to) => ({ to, event }));
    return told(put(next, { ...job, streams: attempt }), undefined, others);
  });
  return told(after, undefined, sent);
}

export function reportProgress(world: World, node: NodeName, rows: readonly ProgressRow[]): Told<void> {
  const { world: after, sent } = each(world, rows, (next, { id, attempt, progress }) => {
    const job = next.jobs.get(id);
    if (job === undefined || !runsAs(job, node, attempt)) return told(next, undefined);
    const event = { type: "progress", id, attempt, progress } as const;
    const others = job.watchers.filter((to) => to !== node).map((to) => ({ to, event }));
    return told(put(next, { ...job, progress }), undefined, others);
  });
  return told(after, undefined, sent);
}

export function appendOutput(world: World, node: NodeName, rows: readonly OutputRow[]): Told<void> {
  const { world: after, sent } = each(world, rows, (next, { id, piece }) => {
    const job = next.jobs.get(id);
    if (job === undefined || !runsAs(job, node, piece.attempt)) return told(next, undefined);
    const last = job.output.at(-1);
    if (last?.attempt === piece.attempt && piece.index <= last.index) return told(next, undefined);
    const event = { type: "output", id, piece } as const;
    const others = job.watchers.filter((to) => to !== node).map((to) => ({ to, event }));
    return told(put(next, { ...job, output: [...job.output, piece] }), undefined, others);
  });
  return told(after, undefined, sent);
}

export function placeAnew(world: World, rows: readonly PlacementRow[]): Told<void> {
  const { world: after, sent } = each(world, rows, (next, { id, offers, placement, refusal }) => {
    const job = next.jobs.get(id);
    if (job?.place.at !== "unplaced") return told(next, undefined);
    const placed = { ...job, given: { ...job.given, offers, placement } };
    return refusal === undefined
      ? wait(next, placed, { isDelayed: true })
      : end(next, placed, "failed", refusal);
  });
  return told(after, undefined, sent);
}

export function release(world: World, rows: readonly ReleaseRow[]): Told<void> {
  const { world: after, sent } = each(world, rows, (next, row) => {
    const job = next.jobs.get(row.id);
    if (job?.place.at !== "blocked") return told(next, undefined);
    if (row.next !== "queued") return end(next, job, row.next, row.outcome);
    const { after: _after, offers: _offers, placement: _placement, ...kept } = job.given;
    const { offers, placement, inputs } = row;
    const given = {
      ...kept,
      inputs,
      ...(offers === undefined ? {} : { offers }),
      ...(placement === undefined ? {} : { placement }),
    };
    return wait(next, { ...job, given }, { isDelayed: true });
  });
  return told(after, undefined, sent);
}

export function expire(world: World, rows: readonly ExpiryRow[]): Told<Expiring> {
  const { world: after, sent } = each(world, rows, (next, { id, outcome }) => {
    const job = next.jobs.get(id);
    return job !== undefined && isOverdue(next, job)
      ? end(next, job, "failed", outcome)
      : told(next, undefined);
  });
  const all = [...after.jobs.values()].filter(isWaiting);
  const due = all
    .filter((job) => isOverdue(after, job))
    .map(({ given: { id, queue, label, ttlMs = 0 }, attempt, pastDeaths }) => {
      return { id, queue, label, ttlMs, attempt, pastDeaths };
    });
  const times = all.map(expiryOf).filter((atMs) => atMs < Infinity);
  return told(after, { due, nextMs: untilFirst(after, times) }, sent);
}

/** Time itself: what has expired is not known any more. */
export function pass(world: World, ms: number): World {
  const nowMs = world.nowMs + ms;
  const { resultTtlMs } = world.settings;
  const isKept = ({ place: at }: Job): boolean => at.at !== "end" || at.atMs + resultTtlMs > nowMs;
  const jobs = new Map([...world.jobs].filter(([, job]) => isKept(job)));
  const units = new Map([...world.units].filter(([, expiresAtMs]) => expiresAtMs > nowMs));
  return { ...world, nowMs, jobs, units };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export const isActive = (job: Job): boolean => ["queued", "running"].includes(stateOf(job));
