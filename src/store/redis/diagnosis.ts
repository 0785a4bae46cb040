import { Redis, type Cluster } from "ioredis";
import type { ServerDiagnosis } from "../inspection.ts";
import { parseInfo, productOf } from "./server-info.ts";

/** What a server tells of itself: the answer of INFO, and of CONFIG GET, which managed ones forbid. */
export interface ServerReport {
  readonly address: string | null;
  readonly info: string;
  readonly config: ReadonlyMap<string, string>;
}

/** Asks one server. */
export async function reportOf(redis: Redis | Cluster): Promise<ServerReport> {
  const names = ["save", "appendfsync"];
  const [info, ...values] = await Promise.all([redis.info(), ...names.map((name) => settingOf(redis, name))]);
  const config = new Map(
    names.flatMap((name, at): [string, string][] => {
      const value = values[at];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { address: redis instanceof Redis ? addressOf(redis) : null, info, config };
}

function addressOf({ options: { path, host = "localhost", port = 6379 } }: Redis): string {
  return path ?? `${host}:${port}`;
}

async function settingOf(redis: Redis | Cluster, name: string): Promise<string | undefined> {
  const reply: unknown = await redis.call("CONFIG", "GET", name).catch(() => []);
  return Array.isArray(reply) && typeof reply[1] === "string" ? reply[1] : undefined;
}

const WRITES: readonly (readonly [fact: string, what: string])[] = [
  ["aof_last_write_status", "append-only file"],
  ["aof_last_bgrewrite_status", "rewrite of the append-only file"],
  ["rdb_last_bgsave_status", "snapshot"],
];

export function diagnosisOf({ address, info, config }: ServerReport): ServerDiagnosis {
  const facts = parseInfo(info);
  const number = (name: string): number => Number(facts.get(name) ?? 0);
  return {
    address,
    ...productOf(facts),
    isAppendOnly: facts.get("aof_enabled") === "1",
    appendFsync: config.get("appendfsync") ?? null,
    save: config.get("save") ?? null,
    failedWrites: WRITES.flatMap(([fact, what]) => (facts.get(fact) === "err" ? [what] : [])),
    evictionPolicy: facts.get("maxmemory_policy") ?? "noeviction",
    maxMemoryBytes: number("maxmemory"),
    usedMemoryBytes: number("used_memory"),
    replicas: number("connected_slaves"),
  };
}
