import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NodeName } from "../../src/core/ids.ts";
import type { Store, StoreEvent } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Subject } from "./model/history.ts";
import { checkHistories, howMany } from "./model/run.ts";
import { SETTINGS, WATCHERS } from "./model/steps.ts";
import { DEFAULTS } from "./support/harness.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

const many = howMany(100);

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  const { host, port, db } = parseRedisAddress(redis.address);
  raw = new Redis({ host: host!, port: port!, db });
}, 180_000);
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

test(
  "the Redis store does as the model says, whatever happens in whatever order, and keeps nothing in the end",
  async () => {
    expect(await checkHistories(fc.constant("redis"), many, withStores)).toBeGreaterThan(0);
  },
  many.timeoutMs,
);

/**
 * Lets time pass at once: whatever the store keeps of points in time is moved into the past. What time itself takes is
 * nothing beside the times of the model.
 */
const PASS = `
local ms = tonumber(ARGV[1])

local function shift_scores(key)
  for _, member in ipairs(redis.call("ZRANGE", key, 0, -1)) do redis.call("ZINCRBY", key, -ms, member) end
end

-- As lua/shared/records.lua has it, of a job that is not final: when it was created, and up to when it may begin.
local function shift_record(key, record)
  local body = 6 + struct.unpack(">I4", record, 2)
  local created = body + 4 + struct.unpack(">I4", record, body) + 12
  local has_expiry = string.byte(record) % 8 >= 4
  for at = created, has_expiry and created + 8 or created, 8 do
    redis.call("SETRANGE", key, at - 1, struct.pack(">d", struct.unpack(">d", record, at) - ms))
  end
end

for _, key in ipairs(redis.call("KEYS", KEYS[1] .. "*")) do
  local left, name = redis.call("PTTL", key), string.sub(key, #KEYS[1] + 1)
  if left >= 0 then
    redis.call("PEXPIRE", key, left - ms)
  elseif name == "heard" then
    redis.call("SET", key, string.format("%d", redis.call("GET", key) - ms))
  elseif name == "nodes" or name == "expiring" or string.find(name, "^later:") or string.find(name, "^delayed:") then
    shift_scores(key)
  elseif string.find(name, "^job:") then
    shift_record(key, redis.call("GET", key))
  end
end`;

/** A cluster of its own, in which every node has a store and listens. */
async function withStores(_kind: string, body: (subject: Subject) => Promise<void>): Promise<void> {
  const cluster = `model-${randomUUID()}`;
  const prefix = `{ks:${cluster}}:`;
  const members = await Promise.all(WATCHERS.map((node) => openMember(cluster, node)));
  const stores = new Map(members.map(({ node, store }) => [node, store]));
  const left = async (): Promise<string[]> => {
    const keys = await raw.keys(`${prefix}*`);
    return keys.map((key) => key.slice(prefix.length)).filter((name) => name !== "seq");
  };
  const heard = async (): Promise<ReadonlyMap<NodeName, readonly StoreEvent[]>> => {
    const fence = randomUUID();
    const all = members.map(async ({ node, upTo }) => [node, await upTo(fence)] as const);
    await raw.publish(`${prefix}${parseRedisAddress(redis.address).db}:wake`, `\n0 ${fence}`);
    return new Map(await Promise.all(all));
  };
  try {
    await body({
      nowMs: Date.now(),
      isExact: false,
      storeOf: (node) => stores.get(node)!,
      pass: async (ms) => void (await raw.eval(PASS, 1, prefix, ms)),
      heard,
      left,
    });
  } finally {
    await Promise.all(members.map(({ store }) => store.close()));
    const rest = await raw.keys(`${prefix}*`);
    if (rest.length > 0) await raw.unlink(rest);
  }
}

interface Member {
  readonly node: NodeName;
  readonly store: Store;
  /** The events before the wake-up of that name. */
  readonly upTo: (fence: string) => Promise<readonly StoreEvent[]>;
}

async function openMember(cluster: string, node: NodeName): Promise<Member> {
  const address = parseRedisAddress(redis.address);
  const store = await openRedisStore({ cluster, address, ...DEFAULTS, ...SETTINGS });
  let events: StoreEvent[] = [];
  let fence: { readonly name: string; readonly reached: () => void } | undefined;
  await store.subscribe(node, (event) => {
    if (event.type === "wake" && event.queue === fence?.name) fence.reached();
    else events.push(event);
  });
  const upTo = async (name: string): Promise<readonly StoreEvent[]> => {
    await new Promise<void>((reached) => (fence = { name, reached }));
    const all = events;
    events = [];
    return all;
  };
  return { node, store, upTo };
}
