/** What each call of the store's port does to the world, and what it answers: the port's contract as pure functions. */
import type { JobId, NodeName } from "../../../src/core/ids.ts";
import type {
  CancelReply,
  ClaimReply,
  ClaimRequest,
  Expiring,
  ExpiryRow,
  FinishReply,
  FinishRow,
  NodeRegistration,
  OutputRow,
  PlacementRow,
  RegisterReply,
  StreamingRow,
  SubmitBatch,
  SubmitReply,
  Swept,
} from "../../../src/store/port.ts";
import { lostNodeDeath } from "../../../src/store/lost-node.ts";
import {
  add,
  each,
  end,
  endAsAsked,
  loseNode,
  notice,
  put,
  start,
  told,
  type Told,
  wait,
  waitFor,
} from "./moves.ts";
import {
  expiryOf,
  holdsLease,
  inOrder,
  isOverdue,
  type Job,
  jobsAt,
  type Lease,
  leaseTime,
  stateOf,
  termsOfOthers,
  waitingIn,
  type World,
} from "./state.ts";

export function submit(world: World, { watcher, jobs, units, needs }: SubmitBatch): Told<SubmitReply> {
  const added = each(world, jobs, (next, given) => {
    const known = next.jobs.get(given.id);
    if (known === undefined) return { ...add(next, given, watcher), reply: "queued" as const };
    if (!isSame(known.given.spec, given.spec)) return told(next, "conflict" as const);
    return told(put(next, watched(known, watcher)), "known" as const);
  });
  const conflict = added.reply.indexOf("conflict");
  if (conflict >= 0) return told(world, { type: "conflict", id: jobs[conflict]!.id });
  const used = new Map(world.units);
  const expiresAtMs = world.nowMs + world.settings.unitTtlMs;
  const asked = needs.filter((hash) => !units.has(hash));
  const missing = asked.filter((hash) => !used.has(hash));
  for (const hash of asked) if (used.has(hash)) used.set(hash, expiresAtMs);
  if (missing.length > 0) return told({ ...world, units: used }, { type: "missing", units: missing });
  const full = fullQueue(world, added.world);
  if (full !== undefined) return told({ ...world, units: used }, full);
  for (const hash of units.keys()) used.set(hash, expiresAtMs);
  const rows = added.reply.map((row) => (row === "queued" ? "queued" : "known"));
  return told({ ...added.world, units: used }, { type: "queued", rows }, added.sent);
}

/** The first queue, in the order of the rows, that would have more jobs than it may: in the world after them. */
function fullQueue(before: World, after: World): SubmitReply | undefined {
  const limit = before.settings.queueLimit;
  const fresh = [...after.jobs.values()].filter(
    ({ given, place }) => !before.jobs.has(given.id) && place.at !== "end",
  );
  const counts = new Map<string, number>();
  for (const { given } of fresh.toSorted((a, b) => a.number - b.number)) {
    const { queue } = given;
    const count = (counts.get(queue) ?? waitingIn(before, queue)) + 1;
    if (count > limit) return { type: "full", queue, waiting: waitingIn(before, queue), limit };
    counts.set(queue, count);
  }
  return undefined;
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
  const { world: ripe, sent } = each(world, world.jobs.values(), (next, job) =>
    job.place.at === "delayed" && job.place.untilMs <= next.nowMs && names.includes(job.given.queue)
      ? wait(next, job, { except: node })
      : told(next, undefined),
  );
  const takeable = names.flatMap((queue) =>
    inOrder(ripe.jobs.values()).filter((job) => job.given.queue === queue && mayTake(ripe, job, request)),
  );
  const inTime = takeable.filter((job) => !isOverdue(ripe, job));
  const taken = inTime.slice(0, count);
  // Up to the last one that is wanted, or all.
  const upTo = taken.length < count ? takeable.length : count === 0 ? 0 : takeable.indexOf(taken[count - 1]!);
  const passedOver = takeable.slice(0, upTo).filter((job) => isOverdue(ripe, job));
  const rest = passedOver.reduce((next, job) => put(next, { ...job, place: { at: "passed over" } }), ripe);
  const after = taken.reduce((next, job) => start(next, job, node), rest);
  const jobs = taken.map(({ given: { id, spec }, attempt, deaths, throws, pastDeaths }) => {
    const past = pastDeaths.length === 0 ? {} : { pastDeaths };
    return { id, attempt: attempt + 1, deaths, throws, spec, ...past };
  });
  const nextVisibleMs = taken.length < count ? nextVisible(after, request, names) : undefined;
  return told(after, { type: "claimed", jobs, nextVisibleMs }, sent);
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

function nextVisible(world: World, request: ClaimRequest, names: readonly string[]): number | undefined {
  const times = [...world.jobs.values()]
    .filter(({ given }) => names.includes(given.queue))
    .flatMap(({ place }) => {
      if (place.at === "delayed") return [place.untilMs];
      return place.at === "offers" ? timesFor(place.visible, request) : [];
    })
    .filter((atMs) => atMs > world.nowMs);
  return times.length === 0 ? undefined : Math.min(...times) - world.nowMs;
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
  return { ...waitFor(world, back, delayMs, node), reply: "committed" };
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
    const place = { ...job.place, asked: job.place.asked ?? outcome };
    const event = { type: "cancel", id, attempt: job.attempt } as const;
    return told(put(next, { ...job, place }), "cancelling", [{ to: job.node!, event }]);
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

export function register(world: World, registration: NodeRegistration): Told<RegisterReply> {
  const { name, terms } = registration;
  const theirs = termsOfOthers(world, name);
  if (theirs !== undefined && (theirs.token !== terms.token || theirs.protocol !== terms.protocol)) {
    const isCertain = leaseTime(world) === world.nowMs;
    return told(hear(world, registration), { type: "refused", theirs, isCertain });
  }
  const holder = holderOf(world, registration);
  if (holder === "another") return told(world, { type: "taken" });
  const { world: next, sent } = holder === "itself" ? told(world, undefined) : notice(world, name);
  return told(grant(hear(next, registration), registration), { type: "registered" }, sent);
}

export function heartbeat(world: World, registration: NodeRegistration): Told<"renewed" | "lapsed"> {
  const holder = holderOf(world, registration);
  if (holder === "another") return told(world, "lapsed");
  if (holder === "itself") return told(grant(hear(world, registration), registration), "renewed");
  const { world: next, sent } = notice(world, registration.name);
  return told(next.leases.size === 0 ? next : hear(next, registration), "lapsed", sent);
}

/** Who has the name of a node. For another process it is free when its holder was silent for a lease, whoever else was. */
function holderOf(world: World, { name, incarnation }: NodeRegistration): "itself" | "another" | undefined {
  const lease = world.leases.get(name);
  if (lease?.registration.incarnation === incarnation) return holdsLease(world, name) ? "itself" : undefined;
  return lease !== undefined && lease.endsAtMs > world.nowMs ? "another" : undefined;
}

/**
 * The time of leases goes on for two fifths of a lease: somewhat longer than it takes until the next heartbeat. Leases that
 * hold after a silence end as much later as it was; after one of a whole lease they begin anew.
 */
function hear(world: World, { leaseMs }: NodeRegistration): World {
  const { nowMs, leases, heardUntilMs } = world;
  const countedMs = Math.floor((leaseMs * 2) / 5);
  const untilMs = Math.max(heardUntilMs ?? 0, nowMs + countedMs);
  const missedMs = nowMs - leaseTime(world);
  const isLong = missedMs > 0 && missedMs + countedMs >= leaseMs;
  const after = Array.from(leases, ([name, lease]): [NodeName, Lease] => {
    if (!holdsLease(world, name)) return [name, lease];
    return [name, { ...lease, endsAtMs: isLong ? nowMs + leaseMs : lease.endsAtMs + missedMs }];
  });
  return { ...world, leases: new Map(after), heardUntilMs: untilMs };
}

function grant(world: World, registration: NodeRegistration): World {
  const lease = { registration, endsAtMs: world.nowMs + registration.leaseMs };
  return { ...world, leases: new Map(world.leases).set(registration.name, lease) };
}

export function leave(world: World, node: NodeName): Told<void> {
  return loseNode(world, node, (next, job) =>
    job.given.isAtMostOnce === true
      ? told(put(next, { ...job, place: { at: "lost", lostNode: node } }), undefined)
      : wait(next, job),
  );
}

export function expire(world: World, rows: readonly ExpiryRow[]): Told<Expiring> {
  const { world: after, sent } = each(world, rows, (next, { id, outcome }) => {
    const job = next.jobs.get(id);
    return job !== undefined && isOverdue(next, job)
      ? end(next, job, "failed", outcome)
      : told(next, undefined);
  });
  const jobs = [...after.jobs.values()];
  const due = jobs
    .filter((job) => isOverdue(after, job))
    .map(({ given: { id, queue, label, ttlMs = 0 }, attempt }) => ({ id, queue, label, ttlMs, attempt }));
  const times = jobs.filter((job) => !isOverdue(after, job)).flatMap((job) => expiryOf(job) ?? []);
  const nextMs = times.length === 0 ? undefined : Math.min(...times) - after.nowMs;
  return told(after, { due, nextMs }, sent);
}

export function sweep(world: World, node: NodeName, maxDeaths: number): Told<Swept> {
  const lapsed = [...world.leases.keys()].filter((name) => !holdsLease(world, name));
  const noticed = each(world, lapsed, notice);
  const decided = each(noticed.world, jobsAt(noticed.world, "lost"), (next, job) => {
    if (job.place.at !== "lost") return told(next, undefined);
    const { lostNode } = job.place;
    const pastDeaths = [...job.pastDeaths, lostNodeDeath(job.attempt, lostNode)];
    const dead = { ...job, deaths: job.deaths + 1, pastDeaths };
    if (dead.deaths < maxDeaths && dead.given.isAtMostOnce !== true) return wait(next, dead);
    // Only a node with a lease can fail a job.
    return told(holdsLease(next, node) ? start(next, dead, node, lostNode) : next, undefined);
  });
  const reply = { exhausted: exhaustedOn(decided.world, node), unplaced: unplacedIn(decided.world) };
  return told(decided.world, reply, [...noticed.sent, ...decided.sent]);
}

function exhaustedOn(world: World, node: NodeName): Swept["exhausted"] {
  return jobsAt(world, "node").flatMap(
    ({ given: { id, label, isAtMostOnce = false }, attempt, deaths, pastDeaths, node: on, place: at }) =>
      on === node && at.at === "node" && at.lostNode !== undefined
        ? [{ id, attempt, deaths, isAtMostOnce, lostNode: at.lostNode, label, pastDeaths }]
        : [],
  );
}

function unplacedIn(world: World): Swept["unplaced"] {
  return inOrder(jobsAt(world, "unplaced")).map(({ given: { id, queue, inputs = [] } }) => ({
    id,
    queue,
    inputs,
  }));
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
