import type { Waiting } from "../inspection.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import { type FinalState, isFinal, type JobState } from "../../core/job-states.ts";
import type { NodeRecord, RegisterReply } from "../membership.ts";
import type {
  CancelReply,
  ClaimedJob,
  ClaimReply,
  Exhausted,
  Expiring,
  FinishReply,
  JobFacts,
  JobRecord,
  OverdueJob,
  RunningJob,
  SubmitReply,
  Swept,
  UnplacedJob,
} from "../port.ts";
import type { UnitHash } from "../../core/ids.ts";
import { parseProgressWord } from "./progress-word.ts";
import { pastDeaths } from "./past-deaths.ts";

/*
 * What the scripts in `lua/` answer, read into the port's types. Names and ids come from this cluster's own keys, and
 * only parsed ones ever get there.
 */

export function parseSubmitReply(reply: unknown, jobCount: number): SubmitReply {
  const [word, ...rest] = texts(reply);
  switch (word) {
    case "queued":
      if (rest.length === 0) return { type: "queued", rows: Array<"queued">(jobCount).fill("queued") };
      return { type: "queued", rows: rest.map((row) => (row === "known" ? "known" : "queued")) };
    case "conflict":
      return { type: "conflict", id: rest[0] as JobId };
    case "missing":
      return { type: "missing", units: rest as UnitHash[] };
    case "full":
      return { type: "full", queue: rest[0] ?? "", waiting: Number(rest[1]), limit: Number(rest[2]) };
    default:
      throw unexpected(reply);
  }
}

export function parseClaimReply(reply: unknown): ClaimReply {
  if (reply instanceof Buffer) return { type: "lapsed" };
  const [head, ...rest] = list(reply).map(bytes);
  if (head === undefined) throw unexpected(reply);
  try {
    const nextVisibleMs = head.readDoubleBE(0);
    return {
      type: "claimed",
      jobs: claimedJobs(head, rest),
      nextVisibleMs: nextVisibleMs < 0 ? undefined : nextVisibleMs,
    };
  } catch (error) {
    // Bytes are missing.
    throw error instanceof RangeError ? unexpected(reply) : error;
  }
}

const ID_BYTES = 36;
const COUNTS_BYTES = 12;
/** In the first byte of a record: its spec has a key of its own. */
const OWN_SPEC = 1;

/** Reads what `lua/claim.lua` says of each job: `rest` are records, the specs that do not stand in them, past deaths. */
function claimedJobs(head: Buffer, rest: readonly Buffer[]): ClaimedJob[] {
  const haveCounts = head.readUInt8(8) === 1;
  const size = ID_BYTES + (haveCounts ? COUNTS_BYTES : 0);
  const jobs: ClaimedJob[] = [];
  let specAt = (head.length - 9) / size;
  for (let at = 9; at < head.length; at += size) {
    const id = head.toString("latin1", at, at + ID_BYTES) as JobId;
    const counts = at + ID_BYTES;
    const [attempt, deaths, throws] = haveCounts
      ? [head.readUInt32BE(counts), head.readUInt32BE(counts + 4), head.readUInt32BE(counts + 8)]
      : [1, 0, 0];
    const record = bytes(rest[jobs.length]);
    const spec = specIn(record) ?? bytes(rest[specAt++]);
    jobs.push({ id, attempt, deaths, throws, queue: queueIn(record), spec });
  }
  if (!haveCounts) return jobs;
  return jobs.map((job) => {
    const past = job.deaths === 0 ? [] : pastDeaths(text(rest[specAt++]));
    return past.length === 0 ? job : { ...job, pastDeaths: past };
  });
}

/** The spec that stands in a record: see `lua/shared/records.lua`. */
function specIn(record: Buffer): Buffer | undefined {
  return record.readUInt8(0) % 2 === OWN_SPEC ? undefined : record.subarray(5, 5 + record.readUInt32BE(1));
}

const PRINT_BYTES = 16;

/** The queue that stands there behind the spec, the body's size and the print. */
function queueIn(record: Buffer): string {
  const at = 9 + record.readUInt32BE(1) + PRINT_BYTES;
  return record.toString("latin1", at + 1, at + 1 + record.readUInt8(at));
}

export function parseFinishReply(reply: unknown, rowCount: number): FinishReply[] {
  if (reply instanceof Buffer) return Array<"committed">(rowCount).fill("committed");
  return list(reply).map((row) => {
    if (Array.isArray(row)) return { cancelled: bytes(row[1]) };
    return text(row) === "committed" ? "committed" : "fenced";
  });
}

const CANCEL_REPLIES: readonly string[] = [
  "cancelled",
  "cancelling",
  "stopping",
  "final",
  "unknown",
] satisfies CancelReply[];

export function parseCancelReply(reply: unknown): CancelReply[] {
  return texts(reply).map((word) => {
    if (!CANCEL_REPLIES.includes(word)) throw unexpected(reply);
    return word as CancelReply;
  });
}

/** Reads texts of ids one behind the other, with blanks of the same size among them. Gives each once. */
export function parseIds(reply: unknown): JobId[] {
  return [...new Set(texts(reply).flatMap((run) => run.match(/[^ ]{36}/g) ?? []))] as JobId[];
}

export function parseRecord(id: JobId, row: unknown): JobRecord | undefined {
  if (!Array.isArray(row)) return undefined;
  const facts = factsIn(id, row);
  return {
    ...facts,
    placement: row[12] === null ? undefined : text(row[12]),
    outcome: isFinal(facts.state) ? bytes(row[11]) : undefined,
    pastDeaths: pastDeaths(text(row[14])),
  };
}

export function parseFacts(id: JobId, row: unknown): JobFacts | undefined {
  return Array.isArray(row) ? factsIn(id, row) : undefined;
}

function factsIn(id: JobId, row: readonly unknown[]): JobFacts {
  const node = text(row[6]);
  const progress = text(row[13]);
  return {
    id,
    state: parseState(text(row[0])),
    queue: text(row[1]),
    label: text(row[2]),
    priority: priorityOf(Number(text(row[3]))),
    attempt: Number(text(row[4])),
    deaths: Number(text(row[5])),
    node: node === "" ? undefined : (node as NodeName),
    createdAtMs: Number(text(row[7])),
    startedAtMs: optionalNumber(row[8]),
    finishedAtMs: optionalNumber(row[9]),
    streams: optionalNumber(row[10]),
    progress: progress === "" || progress === "-" ? undefined : parseProgressWord(progress),
  };
}

export function parseRegisterReply(reply: unknown): RegisterReply {
  if (!Array.isArray(reply)) return { type: text(reply) === "registered" ? "registered" : "taken" };
  const [, protocol, token] = /^(\d*) ?(.*)$/s.exec(text(reply[1])) ?? [];
  const isCertain = text(reply[2]) === "1";
  return { type: "refused", theirs: { protocol: Number(protocol), token: token ?? "" }, isCertain };
}

export function parseSwept(reply: unknown): Swept {
  const [exhausted, unplaced, ready] = list(reply);
  return {
    exhausted: parseExhausted(exhausted),
    unplaced: parseUnplaced(unplaced),
    ready: inRows(list(ready), 4, ([id, queue, inputs, after]) => ({
      id: text(id) as JobId,
      queue: text(queue),
      inputs: lines(inputs) as DataUrl[],
      after: lines(after) as JobId[],
    })),
  };
}

export function parseUnitSizes(reply: unknown): (number | undefined)[] {
  return list(reply).map((size) => integer(size) || undefined);
}

function parseUnplaced(reply: unknown): UnplacedJob[] {
  return inRows(list(reply), 3, ([id, queue, inputs]) => ({
    id: text(id) as JobId,
    queue: text(queue),
    inputs: lines(inputs) as DataUrl[],
  }));
}

function parseExhausted(reply: unknown): Exhausted[] {
  return inRows(list(reply), 7, ([id, attempt, deaths, isAtMostOnce, lostNode, label, kept]) => ({
    id: text(id) as JobId,
    attempt: integer(attempt),
    deaths: integer(deaths),
    isAtMostOnce: isAtMostOnce === 1,
    lostNode: text(lostNode) as NodeName,
    label: text(label),
    pastDeaths: pastDeaths(text(kept)),
  }));
}

export function parseRunning(reply: unknown): RunningJob[] {
  return inRows(list(reply), 4, ([id, attempt, deaths, throws]) => ({
    id: text(id) as JobId,
    attempt: integer(attempt),
    deaths: integer(deaths),
    throws: integer(throws),
  }));
}

export function parseExpiring(reply: unknown): Expiring {
  const [next, ...rows] = list(reply);
  const nextMs = integer(next);
  return {
    due: inRows(rows, 6, ([id, queue, label, ttlMs, attempt, kept]) => ({
      id: text(id) as JobId,
      queue: text(queue),
      label: text(label),
      ttlMs: integer(ttlMs),
      attempt: integer(attempt),
      pastDeaths: pastDeaths(text(kept)),
    })) satisfies OverdueJob[],
    nextMs: nextMs < 0 ? undefined : nextMs,
  };
}

export function parseNodes(reply: unknown): NodeRecord[] {
  return inRows(list(reply), 4, ([name, leaseEndsAtMs, runningJobs, facts]) => ({
    name: text(name) as NodeName,
    facts: text(facts),
    leaseEndsAtMs: integer(leaseEndsAtMs),
    runningJobs: integer(runningJobs),
  }));
}

export function parseWaiting(reply: unknown): Waiting {
  const [queues, unplaced] = list(reply);
  return {
    queues: inRows(list(queues), 2, ([queue, jobs]) => ({ queue: text(queue), jobs: integer(jobs) })),
    unplaced: integer(unplaced),
  };
}

export function parseNow(reply: unknown): number {
  return integer(reply);
}

export function parseState(word: string): JobState {
  if (word === "queued" || word === "running") return word;
  return parseFinalState(word);
}

export function parseFinalState(word: string): FinalState {
  if (word === "succeeded" || word === "failed" || word === "cancelled") return word;
  throw unexpected(word);
}

export function list(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected(reply);
}

export function texts(reply: unknown): string[] {
  return list(reply).map(text);
}

export function text(value: unknown): string {
  if (value instanceof Buffer) return value.toString();
  throw unexpected(value);
}

function lines(value: unknown): string[] {
  return text(value)
    .split("\n")
    .filter((line) => line !== "");
}

export function bytes(value: unknown): Buffer {
  if (value instanceof Buffer) return value;
  throw unexpected(value);
}

function integer(value: unknown): number {
  if (typeof value === "number") return value;
  throw unexpected(value);
}

function optionalNumber(value: unknown): number | undefined {
  const shown = text(value);
  return shown === "" ? undefined : Number(shown);
}

/** The scripts order a queue by -priority * 1e12 + sequence. */
function priorityOf(order: number): number {
  return 0 - Math.floor(order / 1e12);
}

function inRows<T>(flat: readonly unknown[], width: number, parse: (row: readonly unknown[]) => T): T[] {
  const rows: T[] = [];
  for (let at = 0; at < flat.length; at += width) rows.push(parse(flat.slice(at, at + width)));
  return rows;
}

export function unexpected(reply: unknown): KitchenError {
  const shown = reply instanceof Buffer ? reply.toString() : JSON.stringify(reply);
  return new KitchenError(
    "KS_INTERNAL",
    `The store's script answered what is not in its header: ${shown?.slice(0, 200)}`,
  );
}
