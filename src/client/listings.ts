/** Reads the JSON that nodes answer with: parsed here, so that the rest can rely on the types. */
import { KitchenError } from "../core/errors.ts";
import { parseJobId } from "../core/ids.ts";
import { TRANSITIONS, type JobState } from "../core/job-states.ts";
import type { FunctionInfo } from "../core/messages.ts";
import type { JobStatus } from "./job.ts";

/** A node of the cluster, as it last described itself. */
export interface NodeStatus {
  readonly name: string;
  readonly url: string;
  readonly workers: number;
  /** Jobs that it runs. */
  readonly running: number;
  /** How often in a row a worker died at its start: 0 when all is well. */
  readonly startFailures: number;
  readonly queues: readonly string[];
  readonly namespaces: readonly string[];
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
    };
  });
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
  };
}

function parseState(text: string): JobState {
  if (Object.hasOwn(TRANSITIONS, text)) return text as JobState;
  throw malformed("job's state");
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const list =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  if (Array.isArray(list)) return list;
  throw malformed(`list of ${key}`);
}

class Reader {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null) throw malformed(what);
    this.#values = { ...value };
    this.#what = what;
  }

  has(key: string): boolean {
    return this.#values[key] != null;
  }

  text(key: string): string {
    const value = this.#values[key];
    if (typeof value === "string") return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  number(key: string): number {
    const value = this.#values[key];
    if (typeof value === "number") return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  texts(key: string): readonly string[] {
    const value = this.#values[key];
    if (Array.isArray(value)) return value.map(String);
    throw malformed(`${this.#what}'s ${key}`);
  }
}

function malformed(what: string): KitchenError {
  return new KitchenError(
    "KS_UNAVAILABLE",
    `Cannot read the node's answer: it has no ${what} (is it another release?)`,
  );
}
