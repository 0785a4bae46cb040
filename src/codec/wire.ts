/** The messages between client, node and store as bytes, and back. Layouts: `docs/protocol.md`. */
import { parseSha256 } from "../core/data.ts";
import { type DataUrl, parseDataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";
import { type JobId, parseJobId, parseQueue, parseUnitHash, type UnitHash } from "../core/ids.ts";
import type { FinalState } from "../core/job-states.ts";
import type {
  ClientEvent,
  ItemsAnswer,
  ItemsRequest,
  JobSpec,
  Outcome,
  Submission,
  SubmittedJob,
} from "../core/messages.ts";
import { Fields, listHeader, pack } from "./pack.ts";
import { parseProgress, progressFields } from "./progress.ts";

/** Media type of every body in this format. */
export const MEDIA_TYPE = "application/vnd.kitchensink";

const FINAL_STATES: readonly FinalState[] = ["succeeded", "failed", "cancelled"];
export const MAX_PRIORITY = 1_000;
/** The largest delay that a timer of Node takes. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;
const MAX_RETRIES = 1_000;
/** Whoever refers to more data than this in one call saves it together. */
export const MAX_INPUTS = 1_000;
/** Whoever puts more jobs than this among the arguments of one call gathers them in steps. */
export const MAX_AFTER = 1_000;

export function encodeSpec(spec: JobSpec): Buffer {
  return pack([
    spec.namespace,
    spec.name,
    spec.label,
    spec.units,
    spec.codec,
    spec.fn,
    spec.args,
    spec.timeoutMs,
    spec.retries,
    spec.streamsOutput,
    spec.retryDelayMs,
    spec.ttlMs,
    spec.isIdempotent,
    spec.after,
    spec.trace?.traceparent ?? null,
    spec.trace?.tracestate ?? null,
  ]);
}

export function parseSpec(bytes: Uint8Array): JobSpec {
  const fields = Fields.unpack(bytes, "job", 16);
  const spec: JobSpec = {
    namespace: fields.text(0),
    name: fields.textOrNull(1),
    label: fields.text(2),
    units: fields.list(3).map(parseUnitHash),
    codec: fields.text(4),
    fn: fields.bytesOrNull(5),
    args: fields.bytes(6),
    timeoutMs: Math.min(fields.count(7), MAX_TIMEOUT_MS),
    retries: Math.min(fields.count(8), MAX_RETRIES),
    streamsOutput: fields.boolean(9),
    retryDelayMs: Math.min(fields.count(10), MAX_TIMEOUT_MS),
    ttlMs: Math.min(fields.count(11), MAX_TIMEOUT_MS),
    isIdempotent: fields.boolean(12),
    after: parseAfter(fields.list(13)),
    trace: parseTrace(fields.textOrNull(14), fields.textOrNull(15)),
  };
  if ((spec.name === null) === (spec.fn === null))
    throw new KitchenError(
      "KS_BAD_REQUEST",
      "Not a job: it needs either a function's name or a captured function",
    );
  if (!spec.isIdempotent && spec.retries > 0)
    throw new KitchenError("KS_BAD_REQUEST", "Not a job: one that is not idempotent has no retries");
  return spec;
}

function parseAfter(ids: readonly unknown[]): readonly JobId[] {
  if (ids.length <= MAX_AFTER) return ids.map(parseJobId);
  throw new KitchenError(
    "KS_TOO_LARGE",
    `Cannot take a job that waits for ${ids.length} others: at most ${MAX_AFTER}`,
  );
}

function parseTrace(traceparent: string | null, tracestate: string | null): JobSpec["trace"] {
  return traceparent === null ? null : { traceparent, tracestate: tracestate ?? "" };
}

export function encodeSubmission({ client, units, jobs }: Submission): Buffer {
  return joinSubmission({ client, units, jobCount: jobs.length, jobs: jobs.map(encodeSubmittedJob) });
}

export function encodeSubmittedJob({ id, queue, priority, spec, inputs }: SubmittedJob): Buffer {
  return pack([id, queue, priority, spec, inputs]);
}

export interface SubmissionParts extends Omit<Submission, "jobs"> {
  readonly jobCount: number;
  /** What {@link encodeSubmittedJob} gave of each, one behind the other, cut anywhere. */
  readonly jobs: readonly Uint8Array[];
}

/** As {@link encodeSubmission}, of jobs that were encoded as they came. */
export function joinSubmission({ client, units, jobCount, jobs }: SubmissionParts): Buffer {
  return Buffer.concat([listHeader(3), pack(client), pack([...units]), listHeader(jobCount), ...jobs]);
}

export function parseSubmission(bytes: Uint8Array): Submission {
  const fields = Fields.unpack(bytes, "submission", 3);
  const units = new Map<UnitHash, Uint8Array>();
  for (const row of fields.list(1)) {
    const unit = Fields.of(row, "code unit", 2);
    units.set(parseUnitHash(unit.text(0)), unit.bytes(1));
  }
  return { client: fields.text(0), units, jobs: fields.list(2).map(parseSubmittedJob) };
}

function parseSubmittedJob(row: unknown): SubmittedJob {
  const fields = Fields.of(row, "submitted job", 5);
  const priority = fields.number(2);
  if (!Number.isInteger(priority) || Math.abs(priority) > MAX_PRIORITY)
    throw new KitchenError(
      "KS_BAD_REQUEST",
      `Not a priority: ${priority} (expected a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY})`,
    );
  return {
    id: parseJobId(fields.text(0)),
    queue: parseQueue(fields.text(1)),
    priority,
    spec: fields.bytes(3),
    inputs: parseInputs(fields.list(4)),
  };
}

function parseInputs(urls: readonly unknown[]): readonly DataUrl[] {
  if (urls.length <= MAX_INPUTS) return urls.map(parseDataUrl);
  throw new KitchenError(
    "KS_TOO_LARGE",
    `Cannot take a job that points to ${urls.length} data urls: at most ${MAX_INPUTS} are looked at for one job`,
  );
}

export function encodeOutcome(outcome: Outcome): Buffer {
  if (outcome.type === "stored") {
    const { codec, url, size, sha256, isEnded } = outcome;
    return pack([OUTCOMES.stored, codec, url, size, sha256, isEnded]);
  }
  if (outcome.type !== "error") return pack([OUTCOMES[outcome.type], outcome.codec, outcome.bytes]);
  const { name, message, stack, code, detail, source } = outcome.error;
  return pack([OUTCOMES.error, name, message, stack, code, detail, source]);
}

const OUTCOMES = { value: 0, error: 1, ended: 2, stored: 3 } as const;

export function parseOutcome(bytes: Uint8Array): Outcome {
  const fields = Fields.unpack(bytes, "outcome", 3);
  const kind = fields.number(0);
  if (kind === OUTCOMES.stored)
    return {
      type: "stored",
      codec: fields.text(1),
      url: parseDataUrl(fields.text(2)),
      size: fields.count(3),
      sha256: parseSha256(fields.text(4)),
      isEnded: fields.boolean(5),
    };
  if (kind === OUTCOMES.value || kind === OUTCOMES.ended)
    return {
      type: kind === OUTCOMES.ended ? "ended" : "value",
      codec: fields.text(1),
      bytes: fields.bytes(2),
    };
  if (kind !== OUTCOMES.error)
    throw new KitchenError("KS_BAD_REQUEST", `Not an outcome: unknown kind ${kind}`);
  return {
    type: "error",
    error: {
      name: fields.text(1),
      message: fields.text(2),
      stack: fields.text(3),
      code: fields.textOrNull(4),
      detail: fields.bytesOrNull(5),
      source: fields.textOrNull(6),
    },
  };
}

export function encodeClientEvent(event: ClientEvent): Buffer {
  switch (event.type) {
    case "output":
      return pack([
        "o",
        event.jobId,
        event.attempt,
        event.index,
        event.stream === "stdout" ? 1 : 2,
        event.atMs,
        event.bytes,
        ...(event.isCut === true ? [true] : []),
      ]);
    case "finished":
      return pack(["f", event.jobId, FINAL_STATES.indexOf(event.state), event.outcome]);
    case "streaming":
      return pack(["s", event.jobId, event.attempt]);
    case "progress":
      return pack(["p", event.jobId, event.attempt, ...progressFields(event.progress)]);
    case "unknown":
      return pack(["u", event.jobId]);
    case "alive":
      return pack(["a"]);
  }
}

export function parseClientEvent(bytes: Uint8Array): ClientEvent {
  const fields = Fields.unpack(bytes, "event", 1);
  switch (fields.text(0)) {
    case "o":
      return {
        type: "output",
        jobId: parseJobId(fields.text(1)),
        attempt: fields.count(2),
        index: fields.count(3),
        stream: fields.number(4) === 1 ? "stdout" : "stderr",
        atMs: fields.number(5),
        bytes: fields.bytes(6),
        ...(fields.length > 7 && fields.boolean(7) ? { isCut: true } : {}),
      };
    case "f":
      return {
        type: "finished",
        jobId: parseJobId(fields.text(1)),
        state: FINAL_STATES[fields.count(2)] ?? "failed",
        outcome: fields.bytes(3),
      };
    case "s":
      return { type: "streaming", jobId: parseJobId(fields.text(1)), attempt: fields.count(2) };
    case "p":
      return {
        type: "progress",
        jobId: parseJobId(fields.text(1)),
        attempt: fields.count(2),
        progress: parseProgress(fields, 3),
      };
    case "u":
      return { type: "unknown", jobId: parseJobId(fields.text(1)) };
    case "a":
      return { type: "alive" };
    default:
      throw new KitchenError("KS_BAD_REQUEST", `Not an event: unknown type ${fields.text(0)}`);
  }
}

export function encodeItemsRequest({ client, attempt, from, waitMs, isOver }: ItemsRequest): Buffer {
  return pack([client, attempt, from, waitMs, isOver]);
}

export function parseItemsRequest(bytes: Uint8Array): ItemsRequest {
  const fields = Fields.unpack(bytes, "request for items", 5);
  return {
    client: fields.text(0),
    attempt: fields.count(1),
    from: fields.count(2),
    waitMs: fields.count(3),
    isOver: fields.boolean(4),
  };
}

export function encodeItemsAnswer({ codec, items, isComplete }: ItemsAnswer): Buffer {
  return pack([codec, items, isComplete]);
}

export function parseItemsAnswer(bytes: Uint8Array): ItemsAnswer {
  const fields = Fields.unpack(bytes, "answer with items", 3);
  const items = Fields.of(fields.list(1), "list of items", 0);
  return {
    codec: fields.text(0),
    items: Array.from({ length: items.length }, (_, at) => items.bytes(at)),
    isComplete: fields.boolean(2),
  };
}
