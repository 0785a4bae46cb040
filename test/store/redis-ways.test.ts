import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { bytes, claim, HEAD, inboxOf, N1, newJob, register, submit } from "./support/harness.ts";
import { openAt, outcomeAt, refusal } from "./support/outcome.ts";
import { freePort, startRedis, startServer } from "./support/redis.ts";
import { startRedisCluster } from "./support/redis-cluster.ts";

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

test("a wrong password is in nothing that can be logged of the refusal", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { port } = parseRedisAddress(redis.address);
  const cluster = await startRedisCluster({ masters: 1, password: "right" });
  onTestFinished(() => cluster.stop());
  const addresses = [
    `redis://nobody:hush@127.0.0.1:${port}/9`,
    `redis+sentinel://127.0.0.1:${port}/m?sentinel-password=hush&sentinel-username=nobody`,
    cluster.address.replace("right", "hush"),
  ];
  for (const address of addresses) {
    const error: unknown = await openAt(address).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "KS_UNAVAILABLE", message: expect.stringContaining("the login") });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("hush");
  }
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
  expect(await stores[1].claim({ node: N1, queues: ["default"], count: 1, takesData: true })).toEqual({
    type: "lapsed",
  });
  await register(stores[1], N1);
  expect(await claim(stores[1], N1)).toEqual([]);
  await stores[0].cancel([jobs[0].id], bytes("why"));
  await submit(stores[1], jobs[1]);
  await stores[1].cancel([jobs[1].id], bytes("why"));
  for (const [at, inbox] of inboxes.entries())
    expect(await inbox.next()).toMatchObject({ type: "finished", id: jobs[at]!.id });
  expect(inboxes.map(({ count }) => count)).toEqual([0, 0]);
});
