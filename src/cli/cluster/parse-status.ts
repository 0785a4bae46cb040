import { Reader } from "../../client/reader.ts";

/** What is shown of a cluster's status; `src/core/activity.ts` tells what nodes say. */
export interface Status {
  readonly store: string;
  readonly nodes: readonly NodeView[];
  readonly queues: readonly { readonly queue: string; readonly jobs: number }[];
  readonly unplaced: number;
}

export type NodeView =
  | { readonly name: string; readonly error: string }
  | {
      readonly name: string;
      readonly error: null;
      readonly workers: readonly WorkerView[];
      readonly begunPerSecond: number;
      readonly endedPerSecond: number;
      /** Of runs of queued jobs, as counted by `durationBucket`. */
      readonly durations: readonly number[];
      /** Of the node and its workers. */
      readonly memoryBytes: number;
      readonly dataBytes: number;
      readonly isReadOnly: boolean;
      readonly isFull: boolean;
    };

export interface WorkerView {
  readonly lane: string;
  readonly slot: number;
  /** `null`: idle. `forMs`: since when, by the node's clock. */
  readonly run: { readonly id: string; readonly label: string; readonly forMs: number } | null;
}

/** @throws KitchenError when it is something else */
export function parseClusterStatus(value: unknown): Status {
  const status = new Reader(value, "status");
  return {
    store: status.text("store"),
    nodes: status.rows("nodes", "node").map(parseNode),
    queues: status
      .rows("queues", "queue")
      .map((row) => ({ queue: row.text("queue"), jobs: row.number("jobs") })),
    unplaced: status.number("unplaced"),
  };
}

function parseNode(report: Reader): NodeView {
  const name = report.text("name");
  if (!report.has("status")) return { name, error: report.textOrNull("error") ?? "it does not answer" };
  const status = new Reader(report.value("status"), "node's status");
  const rates = inside(status, "rates", "queue");
  const workers = status.rows("workers", "worker");
  const ofWorkers = workers.map((row) => (row.has("memoryBytes") ? row.number("memoryBytes") : 0));
  const data = new Reader(status.value("data"), "node's data");
  return {
    name,
    error: null,
    workers: workers.map((row) => parseWorker(row, status.number("nowMs"))),
    begunPerSecond: rates.number("begunPerSecond"),
    endedPerSecond: rates.number("endedPerSecond"),
    durations: inside(status, "totals", "queue").numbers("durations"),
    memoryBytes:
      ofWorkers.reduce((sum, bytes) => sum + bytes, 0) +
      new Reader(status.value("memory"), "node's memory").number("nodeBytes"),
    dataBytes: data.number("bytes"),
    isReadOnly: status.boolean("isReadOnly"),
    isFull: data.boolean("isFull"),
  };
}

function inside(status: Reader, key: string, lane: string): Reader {
  const lanes = new Reader(status.value(key), `node's ${key}`);
  return new Reader(lanes.value(lane), `node's ${key}`);
}

function parseWorker(worker: Reader, nowMs: number): WorkerView {
  const place = { lane: worker.text("lane"), slot: worker.number("slot") };
  if (!worker.has("run")) return { ...place, run: null };
  const run = new Reader(worker.value("run"), "worker's run");
  const forMs = nowMs - run.number("begunAtMs");
  return { ...place, run: { id: run.text("id"), label: run.text("label"), forMs } };
}
