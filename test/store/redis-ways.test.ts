import { randomUUID } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Store } from "../../src/store/port.ts";
import { makeCertificates, tlsOptions, tlsSettings, type Certificates } from "./support/certificates.ts";
import { bytes, claim, DEFAULTS, HEAD, inboxOf, N1, newJob, register, submit } from "./support/harness.ts";
import { untilWokenForAll } from "./support/inbox.ts";
import { freePort, startRedis, startServer, type TestServer } from "./support/redis.ts";
import { startRedisCluster } from "./support/redis-cluster.ts";
import { startSentinel } from "./support/redis-sentinel.ts";

async function openAt(address: string, cluster: string = randomUUID()): Promise<Store> {
  const store = await openRedisStore({ cluster, address: parseRedisAddress(address), ...DEFAULTS });
  onTestFinished(() => store.close());
  return store;
}

/** One job's way through a store: submitted, claimed, finished, and heard of. */
async function outcomeAt(address: string): Promise<string> {
  const store = await openAt(address);
  const inbox = await inboxOf(store, HEAD);
  await register(store, N1);
  const job = newJob();
  await submit(store, job);
  await claim(store, N1);
  await store.finish(N1, [{ id: job.id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
  for (;;) {
    const event = await inbox.next();
    if (event.type === "finished") return event.state;
  }
}

async function refusal(address: string): Promise<string> {
  const error: unknown = await openAt(address).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof Error ? error.message : "";
}

describe("a Unix socket", () => {
  test("with a password works, and without it is refused", async () => {
    const server = await startServer({
      args: ["--port", "0", "--unixsocket", "r.sock", "--requirepass", "hush"],
    });
    onTestFinished(() => server.stop());
    const address = `unix:${join(server.directory, "r.sock")}?db=9`;
    expect(await outcomeAt(`${address}&password=hush`)).toBe("succeeded");
    expect(await refusal(address)).toMatch(/refuses the login \(NOAUTH/);
  });
});

describe("TLS with a private authority", () => {
  let directory: string;
  let files: Certificates;
  let server: TestServer;
  let port: number;
  let raw: Redis;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "ks-certificates-"));
    files = makeCertificates(directory);
    port = await freePort();
    const plain = await freePort();
    const settings = { "--port": String(plain), ...tlsSettings(files, port) };
    server = await startServer({ args: Object.entries(settings).flat() });
    raw = new Redis({ port: plain });
  }, 180_000);
  afterAll(async () => {
    raw.disconnect();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const address = (options: Readonly<Record<string, string>>): string =>
    `rediss://127.0.0.1:${port}?${new URLSearchParams({ db: "9", ...options }).toString()}`;
  const known = () => tlsOptions(files);

  test("works with the authority's file, the name in the certificate, and a certificate of one's own", async () => {
    expect(await outcomeAt(address(known()))).toBe("succeeded");
  });

  test.each([
    ["no authority", () => ({ ...known(), ca: undefined }), /not of a known authority: name .* \?ca=/],
    ["another authority", () => ({ ...known(), ca: files.other.cert }), /not of a known authority/],
    ["another name", () => ({ ...known(), servername: "other.test" }), /for other names .* \?servername=/],
    [
      "no certificate",
      () => ({ ca: files.ca, servername: "redis.test" }),
      /asks for a certificate: .* \?cert=/,
    ],
    [
      "no such file",
      () => ({ ...known(), ca: "/nonexistent/ca.pem" }),
      /option ca cannot be read \(there is none\): correct \/nonexistent\/ca.pem/,
    ],
    [
      "a file of another kind",
      () => ({ ...known(), ca: import.meta.filename }),
      /option ca cannot be read \(it is not in PEM\)/,
    ],
    [
      "a key of another certificate",
      () => ({ ...known(), key: files.other.key }),
      /cert and key belong together/,
    ],
  ] as const)("with %s is refused with the way out", async (_what, options, message) => {
    const given = Object.entries(options()).filter(
      (option): option is [string, string] => option[1] !== undefined,
    );
    expect(await refusal(address(Object.fromEntries(given)))).toMatch(message);
  });

  test("goes on when certificates are renewed, and while they cannot be read", async () => {
    const [cert, key] = [join(directory, "mine.pem"), join(directory, "mine.key")];
    copyFileSync(files.client.cert, cert);
    copyFileSync(files.client.key, key);
    const store = await openAt(address({ ...known(), cert, key }));
    const inbox = await inboxOf(store, HEAD);
    const reconnected = async (): Promise<void> => {
      await raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await raw.call("CLIENT", "KILL", "TYPE", "pubsub");
      await untilWokenForAll(inbox);
      expect(await store.nodes()).toEqual([]);
    };
    writeFileSync(cert, "half");
    await reconnected();
    copyFileSync(files.server.cert, cert);
    copyFileSync(files.server.key, key);
    await reconnected();
  });

  test("leads to a Redis Cluster, and by way of a sentinel", async () => {
    const cluster = await startRedisCluster({ certificates: files });
    onTestFinished(() => cluster.stop());
    expect(await outcomeAt(cluster.address)).toBe("succeeded");
    const sentinel = await startSentinel({
      password: "hush",
      sentinelPassword: "quiet",
      certificates: files,
    });
    onTestFinished(() => sentinel.stop());
    expect(await outcomeAt(sentinel.address)).toBe("succeeded");
  });

  test("to a server without TLS says so", async () => {
    const plain = await startRedis();
    onTestFinished(() => plain.stop());
    const open = openRedisStore({
      cluster: "c",
      address: parseRedisAddress(plain.address.replace("tcp:", "rediss:")),
      connectTimeoutMs: 300,
      ...DEFAULTS,
    });
    await expect(open).rejects.toThrow(/no answer in 300 ms; does it speak TLS\?/);
  });
});

describe("a Redis that is of another kind than its address says", () => {
  test("is named as what it is", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const { port } = parseRedisAddress(redis.address);
    expect(await refusal(`redis+cluster://127.0.0.1:${port}`)).toMatch(
      /is no Redis Cluster: name it with redis:\/\//,
    );
    expect(await refusal(`redis+sentinel://127.0.0.1:${port}/m`)).toMatch(/is no sentinel/);
    const cluster = await startRedisCluster({ masters: 2 });
    onTestFinished(() => cluster.stop());
    const [one] = cluster.masters;
    expect(await refusal(`tcp://127.0.0.1:${one!.port}?db=9`)).toMatch(/belongs to a Redis Cluster/);
    const stores = await Promise.all(
      cluster.masters.map((node) => openAt(`tcp://127.0.0.1:${node.port}`, "one")),
    );
    const replies = await Promise.allSettled(stores.map((store) => store.nodes()));
    expect(replies.flatMap((reply) => (reply.status === "rejected" ? [String(reply.reason)] : []))).toEqual([
      expect.stringContaining("belongs to a Redis Cluster"),
    ]);
  });

  test("or that has no slots is said to be unable", async () => {
    const port = await freePort();
    const busPort = await freePort();
    const own = { "--port": String(port), "--cluster-port": String(busPort), "--cluster-enabled": "yes" };
    const server = await startServer({ args: Object.entries(own).flat() });
    onTestFinished(() => server.stop());
    expect(await refusal(`redis+cluster://127.0.0.1:${port}`)).toMatch(
      /it cannot serve: CLUSTER INFO says why/,
    );
  });

  test("or where nobody listens is refused with the reason", async () => {
    const port = await freePort();
    expect(await refusal(`redis+cluster://127.0.0.1:${port}`)).toMatch(
      /^No Redis answers at .* \(connection refused\)/,
    );
    expect(await refusal(`redis+sentinel://127.0.0.1:${port}/m`)).toMatch(
      /^No Redis answers at .* \(connection refused\)/,
    );
  });
});

test("clusters of different names on one Redis see nothing of each other", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const stores = [await openAt(redis.address, "one"), await openAt(redis.address, "two")] as const;
  const inboxes = [await inboxOf(stores[0], HEAD), await inboxOf(stores[1], HEAD)] as const;
  const jobs = [newJob(), newJob()] as const;
  await register(stores[0], N1);
  await submit(stores[0], jobs[0]);
  expect(await stores[1].nodes()).toEqual([]);
  expect(await stores[1].read([jobs[0].id])).toEqual([undefined]);
  expect(await stores[1].activeJobs()).toEqual([]);
  expect(await stores[1].claim({ node: N1, queues: ["default"], count: 1 })).toEqual({ type: "lapsed" });
  await register(stores[1], N1);
  expect(await claim(stores[1], N1)).toEqual([]);
  await stores[0].cancel([jobs[0].id], bytes("why"));
  await submit(stores[1], jobs[1]);
  await stores[1].cancel([jobs[1].id], bytes("why"));
  for (const [at, inbox] of inboxes.entries())
    expect(await inbox.next()).toMatchObject({ type: "finished", id: jobs[at]!.id });
  expect(inboxes.map(({ count }) => count)).toEqual([0, 0]);
});
