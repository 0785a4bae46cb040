/** What nodes do to the world by coming, staying, going and looking after each other. */
import type { JobId, NodeName } from "../../../src/core/ids.ts";
import { lostNodeDeath } from "../../../src/store/lost-node.ts";
import type { NodeRegistration, RegisterReply } from "../../../src/store/membership.ts";
import type { Swept } from "../../../src/store/port.ts";
import { each, lose, loseNode, notice, start, told, type Told, wait } from "./moves.ts";
import {
  holdsLease,
  inOrder,
  type Job,
  jobsAt,
  type Lease,
  leaseTime,
  termsOfOthers,
  type World,
} from "./state.ts";

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
  // One that runs at most once may have begun.
  return loseNode(world, node, (next, job) => (job.given.isAtMostOnce ? lose(next, job) : wait(next, job)));
}

export function sweep(world: World, node: NodeName, maxDeaths: number): Told<Swept> {
  const lapsed = [...world.leases.keys()].filter((name) => !holdsLease(world, name));
  const noticed = each(world, lapsed, notice);
  const decided = each(noticed.world, jobsAt(noticed.world, "lost"), (next, job) =>
    decide(next, job, { node, maxDeaths }),
  );
  const reply = {
    exhausted: exhaustedOn(decided.world, node),
    unplaced: unplacedIn(decided.world),
    ready: readyIn(decided.world),
  };
  return told(decided.world, reply, [...noticed.sent, ...decided.sent]);
}

/** Says what becomes of a job of a lost node. Only a node with a lease can fail a job. */
function decide(
  world: World,
  job: Job,
  { node, maxDeaths }: { readonly node: NodeName; readonly maxDeaths: number },
): Told<void> {
  if (job.place.at !== "lost") return told(world, undefined);
  const { lostNode, isDecided } = job.place;
  const after = isDecided ? job : died(job, lostNode);
  if (!isDecided && after.deaths < maxDeaths && after.given.isAtMostOnce !== true) return wait(world, after);
  return told(holdsLease(world, node) ? start(world, after, node, lostNode) : world, undefined);
}

function died(job: Job, lostNode: NodeName): Job {
  const pastDeaths = [...job.pastDeaths, lostNodeDeath(job.attempt, lostNode)];
  return { ...job, deaths: job.deaths + 1, pastDeaths };
}

function exhaustedOn(world: World, node: NodeName): Swept["exhausted"] {
  return jobsAt(world, "node").flatMap(
    ({ given: { id, label, isAtMostOnce = false }, attempt, deaths, pastDeaths, node: on, place: at }) =>
      on === node && at.at === "node" && at.lostNode !== undefined
        ? [{ id, attempt, deaths, lostNode: at.lostNode, isAtMostOnce, label, pastDeaths }]
        : [],
  );
}

function readyIn(world: World): Swept["ready"] {
  const hasEnded = (id: JobId): boolean => (world.jobs.get(id)?.place.at ?? "end") === "end";
  return jobsAt(world, "blocked").flatMap(({ given: { id, queue, inputs = [], after = [] } }) =>
    after.every(hasEnded) ? [{ id, queue, inputs, after }] : [],
  );
}

function unplacedIn(world: World): Swept["unplaced"] {
  return inOrder(jobsAt(world, "unplaced")).map(({ given: { id, queue, inputs = [] } }) => ({
    id,
    queue,
    inputs,
  }));
}
