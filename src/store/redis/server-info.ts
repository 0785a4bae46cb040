import { KitchenError } from "../../core/errors.ts";
import type { RedisAddress } from "./address.ts";

/** What a Redis says of itself, as far as the store depends on it. */
export interface ServerInfo {
  /** `Redis 7.0.15` or `Valkey 8.0.1` */
  readonly product: string;
  readonly warnings: readonly string[];
}

/** Reads the answers of INFO of several servers as one. @throws KitchenError `KS_UNAVAILABLE` when one is too old */
export function readServerInfos(infos: readonly string[], address: RedisAddress): ServerInfo {
  const servers = infos.map((info) => readServerInfo(info, address));
  return {
    product: [...new Set(servers.map(({ product }) => product))].toSorted().join(" and "),
    warnings: [...new Set(servers.flatMap(({ warnings }) => warnings))],
  };
}

/** Reads the answer of INFO. @throws KitchenError `KS_UNAVAILABLE` when the server is too old */
export function readServerInfo(info: string, address: RedisAddress): ServerInfo {
  const facts = parseInfo(info);
  const { product, isSupported } = productOf(facts);
  if (!isSupported)
    throw new KitchenError(
      "KS_UNAVAILABLE",
      `Cannot use the ${product} at ${address.shown}: it is too old (take Redis 6.2 or later, or Valkey)`,
    );
  return { product, warnings: warningsOf(facts, address) };
}

/** The fields of an INFO. */
export function parseInfo(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split("\r\n").map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}

export function productOf(facts: ReadonlyMap<string, string>): { product: string; isSupported: boolean } {
  const version = facts.get("redis_version") ?? "";
  const valkey = facts.get("valkey_version");
  if (valkey !== undefined) return { product: `Valkey ${valkey}`, isSupported: true };
  return { product: `Redis ${version}`, isSupported: isNewEnough(version) };
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}

function warningsOf(facts: ReadonlyMap<string, string>, address: RedisAddress): string[] {
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return [];
  return [
    `The Redis at ${address.shown} may throw jobs away when its memory is full (maxmemory-policy is ${policy}): ` +
      "set it to noeviction",
  ];
}
