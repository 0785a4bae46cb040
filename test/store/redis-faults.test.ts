import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { readServerInfo, readServerInfos } from "../../src/store/redis/server-info.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Store } from "../../src/store/port.ts";
import {
  bytes,
  claim,
  DEFAULTS,
  HEAD,
  type Inbox,
  inboxOf,
  N1,
  newJob,
  register,
  submit,
  TERMS,
} from "./support/harness.ts";
import { type Observer, TcpProxy } from "../support/tcp-proxy.ts";
import { freePort, startRedis, type TestRedis } from "./support/redis.ts";

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  raw = connectTo(redis);
}, 180_000);
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

function connectTo({ address }: TestRedis): Redis {
  const { host, port, db } = parseRedisAddress(address);
  return new Redis({ host: host!, port: port!, db });
}

async function withRedisStore(
  body: (store: Store, cluster: string) => Promise<void>,
  on: Pick<TestRedis, "address"> = redis,
): Promise<void> {
  const cluster = randomUUID();
  const store = await openRedisStore({ cluster, address: parseRedisAddress(on.address), ...DEFAULTS });
  try {
    await body(store, cluster);
  } finally {
    await store.close();
  }
}

/** Swallows what the server says as soon as somebody subscribes. */
class SubscriberTrap extends TcpProxy {
  isSet = false;
  isSprung = false;

  protected override observe(): Observer {
    return (chunk, isReply) => {
      if (isReply || !this.isSet || !/subscribe/i.test(chunk.toString("latin1"))) return;
      this.isSprung = true;
      this.swallowReplies();
    };
  }
}

/** Reads events up to the next one that says something may have been missed. */
async function untilResubscribed(inbox: Inbox): Promise<void> {
  for (;;) {
    const event = await inbox.next();
    if (event.type === "wake" && event.queue === "*") return;
  }
}

describe("a Redis that is not there", () => {
  test("is named, with the reason and the way out", async () => {
    const address = parseRedisAddress(`tcp://127.0.0.1:${await freePort()}?db=9`);
    await expect(openRedisStore({ cluster: "c", address, ...DEFAULTS })).rejects.toMatchObject({
      code: "KS_UNAVAILABLE",
      message: `No Redis answers at ${address.shown} (connection refused): start one there, name another with --redis-connection, or do without with --embedded`,
    });
    const socket = parseRedisAddress("unix:/nonexistent/redis.sock");
    await expect(openRedisStore({ cluster: "c", address: socket, ...DEFAULTS })).rejects.toThrow(
      /^No Redis answers at unix:\/nonexistent\/redis.sock\?db=0 \(no such socket file\)/,
    );
  });

  test("is given up on when it accepts and says nothing", async () => {
    const sockets = new Set<{ destroy(): void }>();
    const silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const bound = silent.address();
    const address = parseRedisAddress(`tcp://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`);
    try {
      await expect(
        openRedisStore({ cluster: "c", address, connectTimeoutMs: 100, ...DEFAULTS }),
      ).rejects.toThrow(/no answer in 100 ms/);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  test("with a wrong password or number of database is refused in one line", async () => {
    const { port } = parseRedisAddress(redis.address);
    const db = parseRedisAddress(`tcp://127.0.0.1:${port}?db=99`);
    await expect(openRedisStore({ cluster: "c", address: db, ...DEFAULTS })).rejects.toThrow(
      /has no database of this number/,
    );
    const login = parseRedisAddress(`redis://nobody:wrong@127.0.0.1:${port}/9`);
    await expect(openRedisStore({ cluster: "c", address: login, ...DEFAULTS })).rejects.toThrow(
      /refuses the login/,
    );
  });
});

describe("what a Redis says of itself", () => {
  const address = parseRedisAddress("tcp://h:1");

  test("an old one is refused, Valkey is taken", () => {
    expect(() => readServerInfo("redis_version:6.0.16\r\n", address)).toThrow(
      /Redis 6\.0\.16 at tcp:\/\/h:1\?db=0: it is too old/,
    );
    expect(readServerInfo("redis_version:6.2.0\r\n", address).product).toBe("Redis 6.2.0");
    const valkey = "redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n";
    expect(readServerInfo(valkey, address)).toEqual({ product: "Valkey 8.0.1", warnings: [] });
  });

  test("an eviction policy that may lose jobs is warned of", () => {
    const info = "redis_version:7.0.0\r\nmaxmemory_policy:allkeys-lru\r\n";
    expect(readServerInfo(info, address).warnings).toEqual([expect.stringContaining("allkeys-lru")]);
    expect(
      readServerInfo("redis_version:7.0.0\r\nmaxmemory_policy:noeviction\r\n", address).warnings,
    ).toEqual([]);
  });
});

describe("what several Redises say of themselves", () => {
  const address = parseRedisAddress("redis+cluster://h:1");
  const info = (version: string, policy: string) =>
    `redis_version:${version}\r\nmaxmemory_policy:${policy}\r\n`;

  test("is told as one", () => {
    const infos = [info("7.2.4", "noeviction"), info("7.0.15", "allkeys-lru"), info("7.2.4", "allkeys-lru")];
    expect(readServerInfos(infos, address)).toEqual({
      product: "Redis 7.0.15 and Redis 7.2.4",
      warnings: [expect.stringContaining("allkeys-lru")],
    });
    expect(() =>
      readServerInfos([info("7.2.4", "noeviction"), info("6.0.1", "noeviction")], address),
    ).toThrow(/Redis 6\.0\.1 at redis\+cluster:\/\/h:1\?db=0: it is too old/);
  });
});

describe("a Redis that has accidents", () => {
  test("no error and no lost order reach anyone when its scripts are flushed under load", () =>
    withRedisStore(async (store) => {
      await register(store, N1);
      for (let round = 0; round < 50; round += 1) {
        const flushed = round % 5 === 0 ? raw.script("FLUSH") : undefined;
        const job = newJob();
        const submitted = store.submit({ watcher: N1, jobs: [job], units: new Map(), needs: [] });
        const claimed = store.claim({ node: N1, queues: ["default"], count: 5, takesData: true });
        expect((await submitted).type).toBe("queued");
        expect(await claimed).toMatchObject({ type: "claimed", jobs: [{ id: job.id }] });
        const row = { id: job.id, attempt: 1, next: "succeeded", outcome: bytes("") } as const;
        expect(await store.finish(N1, [row])).toEqual(["committed"]);
        await flushed;
      }
    }));

  test("killed connections heal by themselves, and a subscriber is told that it may have missed something", () =>
    withRedisStore(async (store) => {
      const inbox = await inboxOf(store, HEAD);
      await register(store, N1);
      await raw.call("CLIENT", "KILL", "TYPE", "pubsub");
      await untilResubscribed(inbox);
      const job = newJob();
      await submit(store, job);
      await store.cancel([job.id], bytes("why"));
      expect(await inbox.next()).toMatchObject({ type: "finished", id: job.id });
    }));

  test(
    "a way that swallows all from the moment of subscribing anew ends no process, and events come when it is back",
    { timeout: 60_000 },
    async () => {
      const way = new SubscriberTrap({ port: redis.port });
      await way.open();
      const address = `tcp://127.0.0.1:${way.port}?db=9`;
      try {
        await withRedisStore(
          async (store) => {
            const inbox = await inboxOf(store, HEAD);
            way.isSet = true;
            way.cut();
            await expect.poll(() => way.isSprung).toBe(true);
            // Until the subscription was given up, and a call as well.
            await expect(store.now()).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
            way.isSet = false;
            way.release();
            way.cut();
            await untilResubscribed(inbox);
          },
          { address },
        );
      } finally {
        way.close();
      }
    },
  );

  test("calls in flight on a killed connection are done once", () =>
    withRedisStore(async (store) => {
      await register(store, N1);
      const jobs = Array.from({ length: 200 }, () => newJob());
      const seen: string[] = [];
      for (let at = 0; at < jobs.length; at += 10) {
        const batch = jobs.slice(at, at + 10);
        const calls = [
          store.submit({ watcher: HEAD, jobs: batch, units: new Map(), needs: [] }),
          store.claim({ node: N1, queues: ["default"], count: 10, takesData: true }),
        ] as const;
        const killed = raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        const [, reply] = await Promise.all(calls);
        await killed;
        if (reply.type === "claimed") seen.push(...reply.jobs.map(({ id }) => id));
      }
      seen.push(...(await claim(store, N1, { count: 200 })).map(({ id }) => id));
      expect(seen.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    }));

  test("calls reject in bounded time while it is away, and work goes on when it is back, empty", async () => {
    let own = await startRedis();
    const { port } = parseRedisAddress(own.address);
    try {
      await withRedisStore(async (store) => {
        const inbox = await inboxOf(store, HEAD);
        await register(store, N1);
        await own.stop();
        await expect(store.nodes()).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
        own = await startRedis({ port: port! });
        await untilResubscribed(inbox);
        expect(await store.claim({ node: N1, queues: ["default"], count: 1, takesData: true })).toEqual({
          type: "lapsed",
        });
        await register(store, N1);
        await submit(store, newJob());
        expect(await claim(store, N1)).toHaveLength(1);
      }, own);
    } finally {
      await own.stop();
    }
  });

  test("over its memory limit it refuses submits first, while claims, commits and heartbeats go on", async () => {
    const own = await startRedis();
    const admin = connectTo(own);
    try {
      await withRedisStore(async (store) => {
        await register(store, N1);
        await submit(store, newJob(), newJob());
        await admin.config("SET", "maxmemory", "1");
        await expect(submit(store, newJob())).rejects.toMatchObject({
          code: "KS_UNAVAILABLE",
          message: expect.stringContaining("memory limit"),
        });
        const [first, second] = await claim(store, N1);
        const rows = [
          { id: first!.id, attempt: 1, next: "succeeded", outcome: bytes("x".repeat(100)) },
          { id: second!.id, attempt: 1, next: "queued", deaths: 0, throws: 1 },
        ] as const;
        expect(await store.finish(N1, rows)).toEqual(["committed", "committed"]);
        const node = { name: N1, incarnation: "n1 1", terms: TERMS, leaseMs: 60_000, facts: "{}" };
        expect(await store.heartbeat(node)).toBe("renewed");
        expect(await store.cancel([second!.id], bytes("why"))).toEqual(["cancelled"]);
        await store.leave(N1);
      }, own);
    } finally {
      admin.disconnect();
      await own.stop();
    }
  });
});

describe("what the store keeps in Redis", () => {
  test("is little a queued job", () =>
    withRedisStore(async (store) => {
      const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await raw.info("memory"))?.[1]);
      const before = await usedBytes();
      const jobs = Array.from({ length: 5000 }, () => newJob({ spec: bytes("s".repeat(100)) }));
      await submit(store, ...jobs);
      expect(((await usedBytes()) - before) / jobs.length).toBeLessThan(700);
    }));

  test("is gone when all jobs are final and their time is over", async () => {
    const cluster = randomUUID();
    const address = parseRedisAddress(redis.address);
    const store = await openRedisStore({ cluster, address, ...DEFAULTS, resultTtlMs: 50 });
    try {
      await register(store, N1);
      const offers = { nodes: [N1, HEAD].map((node) => ({ node, delayMs: 0 })), othersDelayMs: 60_000 };
      const usual = Array.from({ length: 10 }, () => newJob());
      const offered = Array.from({ length: 10 }, () => newJob({ offers, placement: "p", inputs: [] }));
      const refused = newJob({ offers, refusal: bytes("x".repeat(100)) });
      await submit(store, ...usual, ...offered, refused);
      const rows = (await claim(store, N1, { count: 20 })).map(
        ({ id }) => ({ id, attempt: 1, next: "succeeded", outcome: bytes("x".repeat(100)) }) as const,
      );
      await store.appendOutput(
        N1,
        rows.map(({ id }) => ({
          id,
          piece: { attempt: 1, index: 0, stream: "stdout", bytes: bytes("x"), atMs: 1 },
        })),
      );
      await store.finish(N1, rows);
      expect(await claim(store, N1)).toEqual([]);
      await store.leave(N1);
      await store.activeJobs();
      await expect.poll(() => raw.keys(`{ks:${cluster}}:*`)).toEqual([`{ks:${cluster}}:seq`]);
    } finally {
      await store.close();
    }
  });
});
