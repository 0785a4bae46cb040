import { KitchenError } from "./errors.ts";

/**
 * A job's id: a UUIDv7 that the client makes, so a submit that is repeated is the same job; a UUIDv8 when it is made of what the
 * job does, so that the same call is.
 */
export type JobId = string & { readonly __brand: "JobId" };
/** A node's name, unique in its cluster. */
export type NodeName = string & { readonly __brand: "NodeName" };
/** sha256 of a code unit's bytes, base64url without padding: 43 characters. */
export type UnitHash = string & { readonly __brand: "UnitHash" };

const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
const UNIT_HASH = /^[A-Za-z0-9_-]{43}$/;
/** What is expected of the name of a queue that nodes share. */
export const SHARED_QUEUE_FORM = "1 to 64 letters, digits and . _ -";
const SHARED_QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(\|[A-Za-z0-9][A-Za-z0-9._:-]{0,99})?$/;

export function isJobId(text: unknown): text is JobId {
  return typeof text === "string" && JOB_ID.test(text);
}

/** Reads a job id. @throws KitchenError `KS_BAD_REQUEST` */
export function parseJobId(text: unknown): JobId {
  if (isJobId(text)) return text;
  throw malformed("job id", text, "a UUID in lower case");
}

/** Whether the id is made of what the job does. */
export function isContentId(id: JobId): boolean {
  return id[14] === "8";
}

/** Reads a node's name. @throws KitchenError `KS_BAD_REQUEST` */
export function parseNodeName(text: unknown): NodeName {
  if (typeof text === "string" && NODE_NAME.test(text)) return text as NodeName;
  throw malformed("node name", text, "1 to 100 letters, digits and . _ : -");
}

/** Reads a code unit's hash. @throws KitchenError `KS_BAD_REQUEST` */
export function parseUnitHash(text: unknown): UnitHash {
  if (typeof text === "string" && UNIT_HASH.test(text)) return text as UnitHash;
  throw malformed("hash of a code unit", text, "43 characters of base64url");
}

/** Reads a queue's name: `gpu`, or `gpu|node3` for that node alone. @throws KitchenError `KS_BAD_REQUEST` */
export function parseQueue(text: unknown): string {
  if (typeof text === "string" && QUEUE_NAME.test(text)) return text;
  throw malformed("queue", text, `${SHARED_QUEUE_FORM} (then, for one node, | and its name)`);
}

/** Whether it names a queue whose jobs several nodes may run. */
export function isSharedQueue(text: unknown): text is string {
  return typeof text === "string" && SHARED_QUEUE_NAME.test(text);
}

/** Reads the name of such a queue. @throws KitchenError `KS_BAD_REQUEST` */
export function parseSharedQueue(text: unknown): string {
  if (isSharedQueue(text)) return text;
  throw malformed("queue that nodes share", text, SHARED_QUEUE_FORM);
}

const VERSION_PLACE = 14;

/** When a UUIDv7 was made, in ms since the epoch by the clock of who made it; undefined for other ids. */
export function timeOfJob(id: JobId): number | undefined {
  return id[VERSION_PLACE] === "7" ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
}

function malformed(what: string, value: unknown, form: string): KitchenError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : typeof value;
  return new KitchenError("KS_BAD_REQUEST", `Not a ${what}: ${shown} (expected ${form})`);
}
