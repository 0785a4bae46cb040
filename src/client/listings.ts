/** Reads the JSON that nodes answer with: parsed here, so that the rest can rely on the types. */
import { parseJobId } from "../core/ids.ts";
import { TRANSITIONS, type JobState } from "../core/job-states.ts";
import { INPUT_FORMS, type FunctionInfo, type InputForm } from "../core/messages.ts";
import { type Progress, progressOf } from "../core/progress.ts";
import type { JobStatus } from "./jobs/job.ts";
import { listIn, malformed, Reader } from "./reader.ts";

/** A node of the cluster, as it last described itself. */
export interface NodeStatus {
  /** What the option `node` calls it. */
  readonly name: string;
  /** Where it is reached. */
  readonly url: string;
  /** Worker processes, but for those of instant calls. */
  readonly workers: number;
  /** Jobs that it runs. */
  readonly running: number;
  /** How often in a row a worker died at its start: 0 when all is well. */
  readonly startFailures: number;
  /** Those that its workers take jobs from. */
  readonly queues: readonly string[];
  /** Those that its modules registered. */
  readonly namespaces: readonly string[];
  /** Whether it takes no data of others. */
  readonly isReadOnly: boolean;
  /** Room on the disk of its data directory, in bytes, as of its last heartbeat. */
  readonly freeBytes: number;
  /** That room is no more than the reserve, so that it takes no data until there is more. */
  readonly isFull: boolean;
  /** Of the package. */
  readonly version: string;
  /** Until when the node is taken to live without another sign of life. */
  readonly leaseEndsAt: Date;
}

export function parseNodes(value: unknown): NodeStatus[] {
  return listIn(value, "nodes").map((row) => {
    const node = new Reader(row, "node");
    return {
      name: node.text("name"),
      url: node.text("url"),
      workers: node.number("workers"),
      running: node.number("running"),
      startFailures: node.number("startFailures"),
      queues: node.texts("queues"),
      namespaces: node.texts("namespaces"),
      isReadOnly: node.boolean("isReadOnly"),
      freeBytes: node.number("freeBytes"),
      isFull: node.has("isFull") && node.boolean("isFull"),
      version: node.text("version"),
      leaseEndsAt: new Date(node.number("leaseEndsAtMs")),
    };
  });
}

export function parseFunctions(value: unknown): FunctionInfo[] {
  return listIn(value, "functions").map((row) => {
    const info = new Reader(row, "function");
    return {
      namespace: info.text("namespace"),
      name: info.text("name"),
      parameters: info.text("parameters"),
      doc: info.text("doc"),
      input: info.object("input"),
      inputForm: formOf(info.text("inputForm")),
      isGenerator: info.boolean("isGenerator"),
    };
  });
}

function formOf(text: string): InputForm {
  const form = INPUT_FORMS.find((known) => known === text);
  if (form !== undefined) return form;
  throw malformed("function's inputForm");
}

export function parseStatus(value: unknown): JobStatus {
  const status = new Reader(value, "job");
  const at = (key: "startedAt" | "finishedAt"): object =>
    status.has(key) ? { [key]: new Date(status.text(key)) } : {};
  return {
    id: parseJobId(status.text("id")),
    state: parseState(status.text("state")),
    queue: status.text("queue"),
    label: status.text("label"),
    priority: status.number("priority"),
    attempt: status.number("attempt"),
    deaths: status.number("deaths"),
    ...(status.has("node") ? { node: status.text("node") } : {}),
    createdAt: new Date(status.text("createdAt")),
    ...at("startedAt"),
    ...at("finishedAt"),
    ...(status.has("progress") ? { progress: parseProgress(status.value("progress")) } : {}),
  };
}

function parseProgress(value: unknown): Progress {
  const row = new Reader(value, "progress");
  const progress = progressOf(row.value("done"), row.value("total"), row.value("label"));
  if (typeof progress === "string") throw malformed("job's progress");
  return progress;
}

export function parseState(text: string): JobState {
  if (Object.hasOwn(TRANSITIONS, text)) return text as JobState;
  throw malformed("job's state");
}
