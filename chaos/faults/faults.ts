// What each fault does.
import { setTimeout as sleep } from "node:timers/promises";
import { descendantsOf } from "../../bench/support/processes.ts";
import type { TcpProxy } from "../../test/support/tcp-proxy.ts";
import type { StageNode } from "../stage/node.ts";
import { signal, workersOf } from "../stage/processes.ts";
import type { Stage } from "../stage/stage.ts";
import type { FaultKind, PlannedFault } from "./plan.ts";

/** Whom a fault hits, and what it does. Two faults never hit the same part of the same one at once. */
export interface Fault {
  /** Those that it may hit, by what it takes hold of. */
  readonly targets: (stage: Stage) => readonly Target[];
}

export interface Target {
  /** `node2 process` */
  readonly name: string;
  readonly happen: (how: Happening) => Promise<unknown>;
}

type Happening = Pick<PlannedFault, "forMs" | "draw">;

/** The first node and the first client live as long as the run, so that what they gather can be seen. */
const mortalNodes = ({ nodes }: Stage): readonly StageNode[] => nodes.slice(1);

export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  "kill a node": onProcess(mortalNodes, async (node, { forMs }) => {
    await node.end("SIGKILL");
    await sleep(forMs);
    await node.start();
  }),
  "ask a node to stop": onProcess(mortalNodes, async (node, { forMs }) => {
    await node.end("SIGTERM");
    await sleep(forMs);
    await node.start();
  }),
  "ask a node to stop, twice": onProcess(mortalNodes, async (node, { forMs }) => {
    const ended = node.end("SIGTERM");
    await sleep(500);
    node.signal("SIGTERM");
    await ended;
    await sleep(forMs);
    await node.start();
  }),
  "freeze a node for less than its lease": onProcess(({ nodes }) => nodes, freeze),
  "freeze a node for longer than its lease": onProcess(({ nodes }) => nodes, freeze),
  "freeze a node and its workers": onProcess(({ nodes }) => nodes, freezeAll),
  "kill a worker": onProcess(({ nodes }) => nodes, killWorker),
  "kill Redis": onRedis(async ({ redis }) => {
    await redis.kill();
    await redis.start();
  }),
  "kill Redis and leave it away": onRedis(async ({ redis }, { forMs }) => {
    await redis.kill();
    await sleep(forMs);
    await redis.start();
  }),
  "freeze Redis": onRedis(async ({ redis }, { forMs }) => {
    redis.signal("SIGSTOP");
    await sleep(forMs);
    redis.signal("SIGCONT");
  }),
  "flush Redis's scripts": onRedis(({ redis }) => redis.ask((client) => client.script("FLUSH"))),
  "have Redis close all connections": onRedis(({ redis }) =>
    redis.ask(async (client) => {
      for (const type of ["normal", "pubsub"]) await client.call("CLIENT", "KILL", "TYPE", type);
    }),
  ),
  "cut a node from Redis": onWay("redis", refuse),
  "black-hole a node's way to Redis": onWay("redis", swallow),
  "cut clients from a node": onWay("clients", refuse),
  "black-hole clients' way to a node": onWay("clients", swallow),
  "cut a node from other nodes": onWay("peers", refuse),
  "black-hole other nodes' way to a node": onWay("peers", swallow),
  "slow down a node's way to Redis": onWay("redis", slowDown),
  "kill a client": {
    targets: ({ clients }) =>
      clients.slice(1).map((client) => ({
        name: client.name,
        happen: async ({ forMs }) => {
          await client.kill();
          await sleep(Math.min(forMs, 3_000));
          client.start();
        },
      })),
  },
};

function onProcess(
  nodesOf: (stage: Stage) => readonly StageNode[],
  happen: (node: StageNode, how: Happening) => Promise<unknown>,
): Fault {
  return {
    targets: (stage) =>
      nodesOf(stage)
        .filter(({ pid }) => pid !== 0)
        .map((node) => ({ name: `${node.name} process`, happen: (how) => happen(node, how) })),
  };
}

function onRedis(happen: (stage: Stage, how: Happening) => Promise<unknown>): Fault {
  return { targets: (stage) => [{ name: "Redis", happen: (how) => happen(stage, how) }] };
}

function onWay(
  which: "redis" | "clients" | "peers",
  happen: (way: TcpProxy, how: Happening) => Promise<unknown>,
): Fault {
  return {
    targets: ({ nodes }) =>
      nodes.map((node) => ({
        name: `${node.name} ${which}`,
        happen: (how) => happen(node[which], how),
      })),
  };
}

async function freeze(node: StageNode, { forMs }: Happening): Promise<void> {
  node.signal("SIGSTOP");
  await sleep(forMs);
  node.signal("SIGCONT");
}

async function freezeAll(node: StageNode, { forMs }: Happening): Promise<void> {
  const pids = [node.pid, ...descendantsOf(node.pid)];
  for (const pid of pids) signal(pid, "SIGSTOP");
  await sleep(forMs);
  for (const pid of pids) signal(pid, "SIGCONT");
}

async function refuse(way: TcpProxy, { forMs }: Happening): Promise<void> {
  way.refuse();
  await sleep(forMs);
  way.accept();
}

async function swallow(way: TcpProxy, { forMs }: Happening): Promise<void> {
  way.swallow();
  await sleep(forMs);
  way.release();
}

async function slowDown(way: TcpProxy, { forMs }: Happening): Promise<void> {
  way.weather.delayMs = 50;
  await sleep(forMs);
  way.weather.delayMs = 0;
}

async function killWorker(node: StageNode, { draw }: Happening): Promise<void> {
  const pids = workersOf(node.pid);
  const pid = pids[Math.floor(draw * pids.length)];
  if (pid !== undefined) signal(pid, "SIGKILL");
}
