import { hash } from "node:crypto";
import type { NewJob } from "../port.ts";
import { offersOr0 } from "./offers.ts";
import { endBytes, mostBytes, type Packable, putBytes, putValue, startArray, startBytes } from "./pack.ts";

/** As LONG in `lua/shared/records.lua`: a spec of more bytes has a key of its own. */
const LONG_BYTES = 4096;
/** What the first byte of a record is made of. */
const OWN_SPEC = 1;
const OFFERED = 2;
const EXPIRES = 4;
const BLOCKED = 8;
const AT_MOST_ONCE = 16;
/** Stands for the spec when that is gone: the beginning of its sha256. */
const PRINT_BYTES = 16;
/** Of a record's beginning, what is neither spec nor texts, at most. */
const SIZES_BYTES = 48;
const IS_PLACED = "\u0001";

/**
 * The rows of a submit, for `lua/submit.lua`: jobs of one queue and priority that follow each other, and of each the
 * beginning of its record. It is written here, and not there, because there is only one Redis.
 */
export function packJobs(jobs: readonly NewJob[]): Buffer {
  const parts = partsOf(jobs);
  let most = 5;
  for (const [{ queue }] of parts) most += mostBytes(queue) + mostBytes(0) + mostBytes("");
  for (const job of jobs) most += job.id.length + mostHeadBytes(job);
  const packed = Buffer.allocUnsafe(most);
  let at = startArray(packed, 3 * parts.length + jobs.length);
  for (const part of parts) {
    at = putValue(packed, putValue(packed, at, part[0].queue), part[0].priority);
    at = putIds(packed, at, part);
    for (const [before, job] of part.entries()) at = putHead(packed, at, job, before + 1);
  }
  return packed.subarray(0, at);
}

/** Whether two jobs have one id. */
export function hasTwins(jobs: readonly NewJob[]): boolean {
  return new Set(jobs.map(({ id }) => id)).size < jobs.length;
}

type Part = [NewJob, ...NewJob[]];

function partsOf(jobs: readonly NewJob[]): Part[] {
  const parts: Part[] = [];
  let part: Part | undefined;
  for (const job of jobs)
    if (part !== undefined && part[0].queue === job.queue && part[0].priority === job.priority)
      part.push(job);
    else parts.push((part = [job]));
  return parts;
}

function mostHeadBytes({ queue, label, placement = "", spec }: NewJob): number {
  return (
    SIZES_BYTES + Math.min(spec.length, LONG_BYTES) + 3 * (queue.length + label.length + placement.length)
  );
}

function putIds(packed: Buffer, at: number, part: Part): number {
  const start = startBytes(at);
  let end = start;
  for (const { id } of part) end += packed.write(id, end, "latin1");
  return endBytes(packed, start, end);
}

/** Puts what `lua/shared/records.lua` describes, up to the index. */
function putHead(packed: Buffer, at: number, job: NewJob, index: number): number {
  const start = startBytes(at);
  const { spec } = job;
  packed[start] = kindOf(job);
  const inside = spec.length > LONG_BYTES ? 0 : putBytes(packed, start + 5, spec);
  packed.writeUInt32BE(inside, start + 1);
  const body = start + 9 + inside;
  const end = putBody(packed, body, job);
  packed.writeUInt32BE(end - body, body - 4);
  return endBytes(packed, start, packed.writeUInt32BE(index, end));
}

/** One that is refused ends with its submit, and has nothing of all that but its spec. */
function kindOf({ spec, offers, ttlMs, isAtMostOnce = false, refusal, after }: NewJob): number {
  const ownSpec = spec.length > LONG_BYTES ? OWN_SPEC : 0;
  if (refusal !== undefined) return ownSpec;
  return (
    ownSpec +
    (offers === undefined ? 0 : OFFERED) +
    (ttlMs === undefined ? 0 : EXPIRES) +
    (after === undefined ? 0 : BLOCKED) +
    (isAtMostOnce ? AT_MOST_ONCE : 0)
  );
}

function putBody(packed: Buffer, at: number, { spec, queue, label, placement }: NewJob): number {
  packed.write(hash("sha256", spec, "binary"), at, PRINT_BYTES, "latin1");
  const name = at + PRINT_BYTES + 1;
  const nameBytes = putBytes(packed, name, queue);
  packed[name - 1] = nameBytes;
  const shown = name + nameBytes + 2;
  const shownBytes = putBytes(packed, shown, label);
  packed.writeUInt16BE(shownBytes, shown - 2);
  const end = shown + shownBytes;
  return placement === undefined ? end : end + putBytes(packed, end, IS_PLACED + placement);
}

/** A job's row among the extras of a submit: nothing for the usual one, so that it costs no more than it must. */
export function extrasOf(job: NewJob, at: number): Packable[] {
  const { offers, inputs = [], refusal, spec, ttlMs, after } = job;
  const hasOwnSpec = spec.length > LONG_BYTES;
  if ((offers ?? refusal ?? ttlMs ?? after) === undefined && !hasOwnSpec) return [];
  const specOr0 = hasOwnSpec ? spec : 0;
  return [
    at + 1,
    offersOr0(offers),
    inputs.join("\n"),
    refusal ?? 0,
    specOr0,
    ttlMs ?? 0,
    after?.join("\n") ?? 0,
  ];
}
