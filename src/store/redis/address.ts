import { KitchenError } from "../../core/errors.ts";

/** Where a Redis is and how to get in. */
export interface RedisAddress {
  /** For people: never with the password. */
  readonly shown: string;
  readonly db: number;
  readonly isTls: boolean;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Of a Unix socket, instead of host and port. */
  readonly path: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const DEFAULT_PORT = 6379;
const FORMS =
  "tcp://host:port?db=9, redis://user:password@host:port/9, rediss://… for TLS, or unix:/path/to/socket?db=9";

/**
 * Reads the address of a Redis.
 *
 * @example
 * ```ts
 * parseRedisAddress("tcp://localhost:6379?db=9").port; // 6379
 * ```
 * @throws KitchenError `KS_USAGE`
 */
export function parseRedisAddress(text: string): RedisAddress {
  if (!URL.canParse(text)) throw unusable(text, "it is not a URL");
  const url = new URL(text);
  switch (url.protocol) {
    case "tcp:":
    case "redis:":
    case "rediss:":
      return overTcp(url, text);
    case "unix:":
      return overSocketFile(url, text);
    default:
      throw unusable(text, `the scheme ${url.protocol} is not known`);
  }
}

function overTcp(url: URL, text: string): RedisAddress {
  if (url.hostname === "") throw unusable(text, "it names no host");
  const db = parseDb(url, url.pathname.replace(/^\//, ""), text);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const user = url.username === "" ? "" : `${url.username}@`;
  return {
    shown: `${url.protocol}//${user}${url.hostname}:${port}?db=${db}`,
    db,
    isTls: url.protocol === "rediss:",
    host,
    port,
    path: undefined,
    ...credentials(url, text),
  };
}

function overSocketFile(url: URL, text: string): RedisAddress {
  const path = decode(url.pathname, text);
  if (url.hostname !== "" || !path.startsWith("/") || path === "/")
    throw unusable(text, "it names no socket file by an absolute path");
  const db = parseDb(url, "", text);
  return {
    shown: `unix:${path}?db=${db}`,
    db,
    isTls: false,
    host: undefined,
    port: undefined,
    path,
    ...credentials(url, text),
  };
}

function credentials(url: URL, text: string): Pick<RedisAddress, "username" | "password"> {
  const password = url.password === "" ? url.searchParams.get("password") : decode(url.password, text);
  return {
    username: url.username === "" ? undefined : decode(url.username, text),
    password: password ?? undefined,
  };
}

function parseDb(url: URL, fromPath: string, text: string): number {
  for (const name of url.searchParams.keys())
    if (name !== "db" && name !== "password") throw unusable(text, `the option ${name} is not known`);
  const db = url.searchParams.get("db") ?? (fromPath === "" ? "0" : fromPath);
  if (!/^\d{1,5}$/.test(db)) throw unusable(text, `${JSON.stringify(db)} is not the number of a database`);
  return Number(db);
}

function decode(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw unusable(text, "its %-escapes are malformed", cause);
  }
}

function unusable(text: string, why: string, cause?: unknown): KitchenError {
  const shown = JSON.stringify(withoutPassword(text));
  return new KitchenError("KS_USAGE", `Not an address of a Redis: ${shown}: ${why} (expected ${FORMS})`, {
    cause,
  });
}

function withoutPassword(text: string): string {
  return text.replace(/:[^:@/]*@/, ":…@").replace(/(password=)[^&]*/, "$1…");
}
