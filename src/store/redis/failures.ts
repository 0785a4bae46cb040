import { KitchenError } from "../../core/errors.ts";
import type { RedisAddress } from "./address.ts";

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOENT: "no such socket file",
  EACCES: "permission denied",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name cannot be looked up now",
  ETIMEDOUT: "no answer in time",
};

/** Replies of a Redis that is there but cannot serve just now. */
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|UNBLOCKED)\b/;

/** Why there is no connection at the start, and what to do. */
export function cannotConnect(address: RedisAddress, cause: unknown): KitchenError {
  if (cause instanceof KitchenError) return cause;
  const why = reasonOf(cause);
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b|AUTH/.test(why))
    return unavailable(
      `The Redis at ${address.shown} refuses the login (${why}): correct its address`,
      cause,
    );
  if (NOT_NOW.test(why))
    return unavailable(`The Redis at ${address.shown} cannot serve now (${why}): try again later`, cause);
  if (/DB index is out of range/i.test(why))
    return unavailable(
      `The Redis at ${address.shown} has no database of this number: correct its address`,
      cause,
    );
  return unavailable(
    `No Redis answers at ${address.shown} (${why}): start one there, name another with --redis-connection, or do without with --embedded`,
    cause,
  );
}

/** What a command's failure means to the store's users. */
export function commandFailed(address: RedisAddress, cause: unknown): KitchenError {
  if (cause instanceof KitchenError) return cause;
  // ioredis puts the command there, with all that users sent; that belongs in no log.
  if (cause instanceof Error) Reflect.deleteProperty(cause, "command");
  const why = reasonOf(cause);
  const isReply = cause instanceof Error && cause.name === "ReplyError";
  if (/^OOM\b|OOM command not allowed/.test(why))
    return unavailable(
      `The Redis at ${address.shown} is at its memory limit and takes no more jobs now`,
      cause,
    );
  if (isReply && !NOT_NOW.test(why))
    return new KitchenError("KS_INTERNAL", `The Redis at ${address.shown} refused a script: ${why}`, {
      cause,
    });
  return unavailable(`The Redis at ${address.shown} does not answer (${why})`, cause);
}

function unavailable(message: string, cause: unknown): KitchenError {
  return new KitchenError("KS_UNAVAILABLE", message, { cause });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return REASONS[code] ?? cause.message;
}
