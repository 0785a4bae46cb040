/** The moves of one job from place to place. Each gives the world after it, and what the store sends out. */
import type { NodeName } from "../../../src/core/ids.ts";
import type { FinalState } from "../../../src/core/job-states.ts";
import type { NewJob, Offers } from "../../../src/store/port.ts";
import {
  type AttemptOf,
  holdsLease,
  type Job,
  jobsAt,
  type Sent,
  type Visible,
  type World,
} from "./state.ts";

export interface Told<Reply> {
  readonly world: World;
  readonly reply: Reply;
  readonly sent: readonly Sent[];
}

export function told<Reply>(world: World, reply: Reply, sent: readonly Sent[] = []): Told<Reply> {
  return { world, reply, sent };
}

/** Deals with rows one after the other, each in the world that the one before left. */
export function each<Row, Reply>(
  world: World,
  rows: Iterable<Row>,
  move: (world: World, row: Row) => Told<Reply>,
): Told<Reply[]> {
  let all: Told<Reply[]> = told(world, []);
  for (const row of rows) {
    const one = move(all.world, row);
    all = told(one.world, [...all.reply, one.reply], [...all.sent, ...one.sent]);
  }
  return all;
}

export function put(world: World, job: Job): World {
  return { ...world, jobs: new Map(world.jobs).set(job.given.id, job) };
}

/** A fresh job. */
export function add(world: World, given: NewJob, watcher: NodeName): Told<void> {
  const number = world.submitted + 1;
  const fresh: Job = {
    given,
    number,
    createdAtMs: world.nowMs,
    watchers: [watcher],
    place: { at: "queue" },
    attempt: 0,
    deaths: 0,
    pastDeaths: [],
    throws: 0,
    node: undefined,
    startedAtMs: undefined,
    streams: undefined,
    output: [],
    progress: undefined,
    gaveBack: undefined,
  };
  const next = { ...world, submitted: number };
  if (given.refusal === undefined && given.after !== undefined)
    return told(put(next, { ...fresh, place: { at: "blocked" } }), undefined);
  if (given.refusal === undefined) return wait(next, fresh, { isDelayed: true, except: watcher });
  return end(next, { ...fresh, watchers: [] }, "failed", given.refusal);
}

export function start(world: World, job: Job, node: NodeName, lostNode?: NodeName): World {
  const place = { at: "node", asked: undefined, lostNode } as const;
  return put(world, {
    ...job,
    place,
    attempt: job.attempt + 1,
    node,
    startedAtMs: world.nowMs,
    progress: undefined,
  });
}

/** Ends a job. When its attempt says so, its node needs no event. */
export function end(
  world: World,
  job: Job,
  state: FinalState,
  outcome: Uint8Array,
  { by, except }: { readonly by?: AttemptOf; readonly except?: NodeName } = {},
): Told<void> {
  const wasAsked = job.place.at === "node" && job.place.asked !== undefined;
  const place = { at: "end", state, outcome, atMs: world.nowMs, by, wasAsked } as const;
  const event = { type: "finished", id: job.given.id, state, outcome } as const;
  const sent = job.watchers.filter((to) => to !== except).map((to) => ({ to, event }));
  return told(put(world, { ...job, place, watchers: [] }), undefined, sent);
}

/** A job that was to be cancelled, and runs no more. */
export function endAsAsked(world: World, job: Job, outcome: Uint8Array, except?: NodeName): Told<void> {
  const by = { node: job.node!, attempt: job.attempt };
  return end(world, job, "cancelled", outcome, except === undefined ? { by } : { by, except });
}

/** Lets a job wait where it belongs: in its queue, where it keeps its place, or with those that it is offered to. */
export function wait(
  world: World,
  job: Job,
  {
    isDelayed = false,
    except,
  }: { readonly isDelayed?: boolean; readonly except?: NodeName | undefined } = {},
): Told<void> {
  const { queue, offers } = job.given;
  if (offers === undefined)
    return told(put(world, { ...job, place: { at: "queue" } }), undefined, [{ queue, delayMs: 0, except }]);
  if (!hasTaker(world, offers)) return told(put(world, { ...job, place: { at: "unplaced" } }), undefined);
  const visible = visibleFrom(offers, world.nowMs, isDelayed);
  const times: [string, number][] = Array.from(visible.atMs, ([node, atMs]) => [`${queue}|${node}`, atMs]);
  if (visible.othersAtMs !== undefined) times.push([queue, visible.othersAtMs]);
  const wakes = times.map(([name, atMs]) => ({ queue: name, delayMs: atMs - world.nowMs, except }));
  return told(put(world, { ...job, place: { at: "offers", visible } }), undefined, wakes);
}

/** Lets a job wait for so long before it waits again. */
export function pause(world: World, job: Job, delayMs: number, except: NodeName): Told<void> {
  const place = { at: "pause", untilMs: world.nowMs + delayMs } as const;
  return told(put(world, { ...job, place }), undefined, [{ queue: job.given.queue, delayMs, except }]);
}

/** Somebody who is there may take it, now or later. */
function hasTaker(world: World, { nodes, othersDelayMs }: Offers): boolean {
  return othersDelayMs !== null || nodes.some(({ node }) => holdsLease(world, node));
}

function visibleFrom({ nodes, othersDelayMs }: Offers, nowMs: number, isDelayed: boolean): Visible {
  const atMs = (delayMs: number): number => nowMs + (isDelayed ? delayMs : 0);
  return {
    atMs: new Map(nodes.map(({ node, delayMs }) => [node, atMs(delayMs)])),
    othersAtMs: othersDelayMs === null ? undefined : atMs(othersDelayMs),
  };
}

/**
 * Ends a node's lease. Its jobs that were to be cancelled end so, the others go where `goOn` says. What is offered to it and
 * to nobody else that is there is unplaced.
 */
export function loseNode(
  world: World,
  node: NodeName,
  goOn: (world: World, job: Job) => Told<void>,
): Told<void> {
  const left = withoutLease(world, node);
  const stranded = jobsAt(left, "offers").filter(
    ({ given: { offers } }) => offers!.nodes.some((offer) => offer.node === node) && !hasTaker(left, offers!),
  );
  const alone = each(left, stranded, (next, job) =>
    told(put(next, { ...job, place: { at: "unplaced" } }), undefined),
  );
  const running = jobsAt(world, "node").filter((job) => job.node === node);
  const { world: after, sent } = each(alone.world, running, (next, job) => {
    if (job.place.at !== "node") return told(next, undefined);
    const { asked, lostNode } = job.place;
    if (asked !== undefined) return endAsAsked(next, job, asked);
    return lostNode === undefined ? goOn(next, job) : lose(next, job, lostNode);
  });
  return told(after, undefined, sent);
}

function withoutLease(world: World, node: NodeName): World {
  const leases = new Map([...world.leases].filter(([name]) => name !== node));
  return { ...world, leases, heardUntilMs: leases.size === 0 ? undefined : world.heardUntilMs };
}

/** Of a node whose lease ran out: its jobs wait for a sweep. */
export function notice(world: World, lostNode: NodeName): Told<void> {
  return loseNode(world, lostNode, (next, job) => lose(next, job));
}

/** A job that a sweep had handed to the node is decided on; `lostNode` is the one under which it ran. */
export function lose(world: World, job: Job, lostNode?: NodeName): Told<void> {
  const place = { at: "lost", lostNode: lostNode ?? job.node!, isDecided: lostNode !== undefined } as const;
  return told(put(world, { ...job, place }), undefined);
}
