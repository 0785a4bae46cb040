import {
  decode,
  parseDb,
  parseEndpoint,
  parseLogin,
  parseTls,
  parseUrl,
  SENTINEL_OPTIONS,
  shownOptions,
  TLS_OPTIONS,
  unusable,
  type Endpoint,
  type TlsDetails,
} from "./address-parts.ts";

/** Where a Redis is and how to get in. */
export interface RedisAddress {
  /** One server; one whose place sentinels know; or a Redis Cluster, of which some nodes are named. */
  readonly kind: "server" | "sentinel" | "cluster";
  /** For people and other nodes: never with a password. */
  readonly shown: string;
  readonly db: number;
  /** Of a server. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Of a Unix socket, instead of host and port. */
  readonly path: string | undefined;
  /** Sentinels, or nodes of a Redis Cluster. */
  readonly hosts: readonly Endpoint[];
  /** What the sentinels call the master. */
  readonly masterName: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  /** `undefined`: no TLS. */
  readonly tls: TlsDetails | undefined;
}

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;
const COMMON_OPTIONS = ["db", "password"];
const SEVERAL_HOSTS = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^/?#]*)@)?([^/?#@]*)(.*)$/is;
const NONE = {
  host: undefined,
  port: undefined,
  path: undefined,
  hosts: [],
  masterName: undefined,
  sentinelUsername: undefined,
  sentinelPassword: undefined,
  tls: undefined,
} as const;

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
  const [, scheme = "", kind, login, hosts = "", rest = ""] = SEVERAL_HOSTS.exec(text) ?? [];
  if (kind !== undefined)
    return ofSeveral(text, {
      kind: kind.toLowerCase() === "sentinel" ? "sentinel" : "cluster",
      hosts,
      // Only one host makes a URL that can be parsed.
      single: `${scheme}://${login === undefined ? "" : `${login}@`}hosts${rest}`,
    });
  const protocol = /^[a-z+]*:/i.exec(text)?.[0].toLowerCase();
  if (/^(tcp|rediss?):$/.test(protocol ?? "")) return overTcp(text, protocol === "rediss:");
  if (protocol === "unix:") return overSocketFile(text);
  throw unusable(text, protocol === undefined ? "it is not a URL" : `the scheme ${protocol} is not known`);
}

function overTcp(text: string, isTls: boolean): RedisAddress {
  if (/^\w+:\/\/(?:[^/?#]*@)?[^/?#@]*,/.test(text))
    throw unusable(text, "several hosts go with redis+sentinel:// or redis+cluster://");
  const url = parseUrl(text, text, isTls ? [...COMMON_OPTIONS, ...TLS_OPTIONS] : COMMON_OPTIONS);
  if (url.hostname === "") throw unusable(text, "it names no host");
  const db = parseDb(url, url.pathname.replace(/^\//, ""), text);
  const { host, port } = parseEndpoint(url, DEFAULT_PORT);
  return {
    ...NONE,
    kind: "server",
    shown: `${url.protocol}//${shownUser(url)}${url.hostname}:${port}?${shownOptions(url, db)}`,
    db,
    host,
    port,
    ...parseLogin(url, text),
    tls: isTls ? parseTls(url, text) : undefined,
  };
}

function overSocketFile(text: string): RedisAddress {
  const url = parseUrl(text, text, COMMON_OPTIONS);
  const path = decode(url.pathname, text);
  if (url.hostname !== "" || !path.startsWith("/") || path === "/")
    throw unusable(text, "it names no socket file by an absolute path");
  const db = parseDb(url, "", text);
  return {
    ...NONE,
    kind: "server",
    shown: `unix:${path}?db=${db}`,
    db,
    path,
    ...parseLogin(url, text),
  };
}

interface SeveralHosts {
  readonly kind: "sentinel" | "cluster";
  readonly hosts: string;
  /** The address with the word `hosts` for all of them, and without the kind in its scheme. */
  readonly single: string;
}

function ofSeveral(text: string, { kind, hosts, single }: SeveralHosts): RedisAddress {
  const isTls = /^rediss:/i.test(single);
  const isSentinel = kind === "sentinel";
  const url = parseUrl(single, text, [
    ...COMMON_OPTIONS,
    ...(isTls ? TLS_OPTIONS : []),
    ...(isSentinel ? SENTINEL_OPTIONS : []),
  ]);
  const endpoints = parseHosts(hosts, {
    text,
    defaultPort: isSentinel ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT,
  });
  const path = url.pathname.replace(/^\//, "");
  const db = parseDb(url, isSentinel ? "" : path, text);
  if (isSentinel && (path === "" || path.includes("/")))
    throw unusable(text, "it must name the master behind the hosts, as in …/mymaster");
  if (!isSentinel && db !== 0) throw unusable(text, "a Redis Cluster has no database but 0");
  const names = endpoints.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
  const scheme = `${url.protocol.slice(0, -1)}+${kind}`;
  return {
    ...NONE,
    kind,
    shown: `${scheme}://${shownUser(url)}${names.join(",")}${isSentinel ? `/${path}` : ""}?${shownOptions(url, db)}`,
    db,
    hosts: endpoints,
    masterName: isSentinel ? decode(path, text) : undefined,
    ...parseLogin(url, text),
    sentinelUsername: url.searchParams.get("sentinel-username") ?? undefined,
    sentinelPassword: url.searchParams.get("sentinel-password") ?? undefined,
    tls: isTls ? parseTls(url, text) : undefined,
  };
}

function parseHosts(
  hosts: string,
  { text, defaultPort }: { readonly text: string; readonly defaultPort: number },
): Endpoint[] {
  if (hosts === "") throw unusable(text, "it names no host");
  return hosts.split(",").map((host) => {
    const url = URL.canParse(`redis://${host}`) ? new URL(`redis://${host}`) : undefined;
    if (url === undefined || url.hostname === "")
      throw unusable(text, `${JSON.stringify(host)} is not a host and its port`);
    return parseEndpoint(url, defaultPort);
  });
}

function shownUser({ username }: URL): string {
  return username === "" ? "" : `${username}@`;
}
