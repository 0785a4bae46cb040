import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { chooseStore, DEFAULT_REDIS } from "../../src/node/start/choose-store.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Store } from "../../src/store/port.ts";
import { claim, DEFAULTS, HEAD, inboxOf, N1, newJob, register, state, submit } from "./support/harness.ts";
import { untilHeard, untilWokenForAll } from "./support/inbox.ts";
import { until } from "./support/redis-cluster.ts";
import { startSentinel, type TestSentinel } from "./support/redis-sentinel.ts";

let sentinel: TestSentinel;
beforeAll(async () => {
  sentinel = await startSentinel({ password: "hush", sentinelPassword: "quiet" });
}, 180_000);
afterAll(() => sentinel.stop());

async function openAt(address: string): Promise<Store> {
  const store = await openRedisStore({ cluster: "c", address: parseRedisAddress(address), ...DEFAULTS });
  onTestFinished(() => store.close());
  return store;
}

test("a wrong name of the master, or a wrong password, is said without any password", async () => {
  const { address } = sentinel;
  await expect(openAt(address.replace("mymaster", "theirs"))).rejects.toThrow(
    /^The sentinels of redis\+sentinel:\/\/127.0.0.1:\d+\/theirs\?db=9 know no master of this name/,
  );
  await expect(openAt(address.replace("=quiet", "=loud"))).rejects.toThrow(
    /^The sentinels of \S+\/mymaster\?db=9 refuse the login \(WRONGPASS.* sentinel-password/,
  );
  await expect(openAt(address.replace("hush", "loud"))).rejects.toThrow(
    /^The Redis at redis\+sentinel:\/\/127.0.0.1:\d+\/mymaster\?db=9 refuses the login \(WRONGPASS/,
  );
});

test("what other nodes are told of it is the same address, without its passwords", async () => {
  const chosen = await chooseStore({
    isEmbedded: false,
    isRedisForeign: true,
    redisConnection: sentinel.address,
    defaultRedisConnection: DEFAULT_REDIS,
    dataDirectory: "/nonexistent",
    options: { cluster: "c", ...DEFAULTS },
    warn: () => {},
  });
  onTestFinished(() => chosen.store.close());
  expect(chosen.redisConnection).toMatch(/^redis\+sentinel:\/\/127.0.0.1:\d+\/mymaster\?db=9$/);
  expect(chosen.store.description).toContain(chosen.redisConnection);
});

test("when the master is killed the store follows to the replica, which has the jobs, and events go on", async () => {
  const store = await openAt(sentinel.address);
  const inbox = await inboxOf(store, HEAD);
  await register(store, N1);
  const job = newJob();
  await submit(store, job);
  await sentinel.replicated();
  await sentinel.killMaster();
  await untilWokenForAll(inbox);
  await until(async () => (await state(store, job.id).catch(refused)) === "queued");
  expect((await claim(store, N1)).map(({ id }) => id)).toEqual([job.id]);
  await untilHeard(store, inbox);
});

test("when another master is made while work goes on, no call is lost, and events go on", async () => {
  const own = await startSentinel({ password: "hush", sentinelPassword: "quiet" });
  onTestFinished(() => own.stop());
  const store = await openAt(own.address);
  const inbox = await inboxOf(store, HEAD);
  await register(store, N1);
  await own.replicated();
  await own.failOver();
  const moved = untilWokenForAll(inbox).then(() => true);
  const again = (): Promise<false> => new Promise((resolve) => setTimeout(() => resolve(false), 10));
  do expect(await store.nodes()).toMatchObject([{ name: N1 }]);
  while (!(await Promise.race([moved, again()])));
  await submit(store, newJob());
  expect(await claim(store, N1)).toHaveLength(1);
  await untilHeard(store, inbox);
  // Left to themselves, connections stay with the old master for the 8 s that sentinels take to make it a replica.
}, 8_000);

/** While nobody is the master, calls fail in no other way. */
function refused(error: unknown): undefined {
  expect(error).toMatchObject({ code: "KS_UNAVAILABLE" });
}
