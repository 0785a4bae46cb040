import { KitchenError } from "../../core/errors.ts";
import type { RedisAddress } from "./address.ts";

const UNKNOWN_CA = "its certificate is not of a known authority: name the authority's file with ?ca=…";
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOENT: "no such socket file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name cannot be looked up now",
  ETIMEDOUT: "no answer in time",
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "its certificate is for other names than this one: name one of them with ?servername=…",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it asks for a certificate: name one with ?cert=…&key=…",
};

/** Replies of a Redis that is there but cannot serve just now; before 7.0, what a script met stands behind a dash. */
const NOT_NOW =
  /(^|\s-)(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|UNBLOCKED)\b|cluster is down/;
const OF_CLUSTER = /^(MOVED|ASK) |not allowed in cluster mode/;
/** What ioredis says of a sentinel that it could not ask for the master. */
const AT_SENTINEL = / to sentinel \S+ (?:because|successfully, but got an) (.*)$/s;

/** Why there is no connection at the start, and what to do. */
export function cannotConnect(address: RedisAddress, cause: unknown): KitchenError {
  if (cause instanceof KitchenError) return cause;
  forgetCommand(cause);
  const { shown } = address;
  const why = reasonOf(cause);
  const atSentinel = AT_SENTINEL.exec(why)?.[1];
  if (atSentinel !== undefined) return cannotAskSentinels(address, { why: atSentinel, cause });
  if (isLogin(why))
    return unavailable(`The Redis at ${shown} refuses the login (${why}): correct its address`, cause);
  if (NOT_NOW.test(why))
    return unavailable(`The Redis at ${shown} cannot serve now (${why}): try again later`, cause);
  if (OF_CLUSTER.test(why)) return ofCluster(address, cause);
  if (/cluster support disabled/.test(why))
    return unavailable(`The Redis at ${shown} is no Redis Cluster: name it with redis://`, cause);
  if (/DB index is out of range/i.test(why))
    return unavailable(`The Redis at ${shown} has no database of this number: correct its address`, cause);
  const question = address.tls !== undefined && why.startsWith("no answer in") ? "; does it speak TLS?" : "";
  return unavailable(
    `No Redis answers at ${shown} (${why}${question}): start one there, name another with --redis-connection, or do without with --embedded`,
    cause,
  );
}

interface Failure {
  readonly why: string;
  readonly cause: unknown;
}

function cannotAskSentinels({ shown }: RedisAddress, { why, cause }: Failure): KitchenError {
  if (isLogin(why))
    return unavailable(
      `The sentinels of ${shown} refuse the login (${why}): correct the options sentinel-password and sentinel-username`,
      cause,
    );
  if (/No such master|invalid reply: null$/.test(why))
    return unavailable(
      `The sentinels of ${shown} know no master of this name: correct the name behind the hosts`,
      cause,
    );
  if (/unknown command/.test(why))
    return unavailable(`A host of ${shown} is no sentinel: name a single Redis with redis://`, cause);
  return unavailable(
    `No sentinel answers at ${shown} (${why}): start one there, or name another Redis with --redis-connection`,
    cause,
  );
}

/** What a command's failure means to the store's users. */
export function commandFailed(address: RedisAddress, cause: unknown): KitchenError {
  if (cause instanceof KitchenError) return cause;
  forgetCommand(cause);
  const why = reasonOf(cause);
  const isReply = cause instanceof Error && cause.name === "ReplyError";
  if (/^OOM\b|OOM command not allowed/.test(why))
    return unavailable(
      `The Redis at ${address.shown} is at its memory limit and takes no more jobs now`,
      cause,
    );
  if (isReply && OF_CLUSTER.test(why)) return ofCluster(address, cause);
  if (isReply && !NOT_NOW.test(why))
    return new KitchenError("KS_INTERNAL", `The Redis at ${address.shown} refused a script: ${why}`, {
      cause,
    });
  return unavailable(`The Redis at ${address.shown} does not answer (${why})`, cause);
}

/** What went wrong, for people. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return REASONS[code] ?? cause.message;
}

/** ioredis puts the command there, with passwords and all that users sent; that belongs in no log. */
function forgetCommand(cause: unknown): void {
  if (cause instanceof Error) Reflect.deleteProperty(cause, "command");
}

function isLogin(why: string): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM)\b|AUTH/.test(why);
}

function ofCluster({ shown }: RedisAddress, cause: unknown): KitchenError {
  return unavailable(
    `The Redis at ${shown} belongs to a Redis Cluster: name it with redis+cluster:// and without a database`,
    cause,
  );
}

function unavailable(message: string, cause: unknown): KitchenError {
  return new KitchenError("KS_UNAVAILABLE", message, { cause });
}
