/** The data thread: what hashes, and what waits for a disk, is done here and not where the node serves everybody. */
import { parentPort } from "node:worker_threads";
import { hashFile } from "./hash-file.ts";
import type { FromThread, ThreadFailure, ToThread } from "./messages.ts";
import { PartFile } from "./part-file.ts";
import { Progress } from "./progress.ts";
import { pull, SourcesFailed } from "./pull.ts";

const STOPPED = new Error("stopped");

/** Pulls and hashes that can be stopped. */
const stops = new Map<number, AbortController>();
const parts = new Map<number, PartFile>();
/** Files are hashed one after the other: a disk reads one faster than two, and memory stays bounded. */
let hashing: Promise<void> = Promise.resolve();

parentPort?.on("message", (message: ToThread) => {
  void handle(message).catch((error: unknown) => void fail(message.task, error));
});

async function handle(message: ToThread): Promise<void> {
  const { task } = message;
  switch (message.type) {
    case "hash":
      return stoppable(task, (signal) => hashInTurn(task, message.path, signal));
    case "pull":
      return stoppable(task, (signal) => runPull(message, signal));
    case "open":
      parts.set(task, new PartFile(message.path));
      return;
    case "write":
      return write(message);
    case "seal":
      return seal(task);
    case "stop":
      stops.get(task)?.abort(STOPPED);
      if (parts.has(task)) throw STOPPED;
  }
}

async function stoppable(task: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  stops.set(task, controller);
  try {
    await work(controller.signal);
  } finally {
    stops.delete(task);
  }
}

async function hashInTurn(task: number, path: string, signal: AbortSignal): Promise<void> {
  const turn = hashing.then(async () => {
    signal.throwIfAborted();
    return hashFile(path, signal);
  });
  hashing = turn.then(
    () => {},
    () => {},
  );
  post({ type: "hashed", task, file: await turn });
}

async function runPull(
  { task, pull: what }: Extract<ToThread, { type: "pull" }>,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress((receivedBytes) => post({ type: "grown", task, receivedBytes }));
  try {
    await pull(
      what,
      {
        grown: (receivedBytes) => progress.to(receivedBytes),
        restarted: () => {
          progress.restart();
          post({ type: "restarted", task });
        },
        damaged: (from) => post({ type: "damaged", task, from }),
        verified: (from) => post({ type: "verified", task, from }),
      },
      signal,
    );
  } finally {
    progress.end();
  }
  post({ type: "pulled", task });
}

function write({ task, pieces }: Extract<ToThread, { type: "write" }>): void {
  const part = parts.get(task);
  // It failed before, and that was said.
  if (part === undefined) return;
  const before = part.size;
  part.write(...pieces);
  post({ type: "written", task, bytes: part.size - before });
}

async function seal(task: number): Promise<void> {
  const part = parts.get(task);
  if (part === undefined) return;
  // From here on it is not stopped any more: its end is near.
  parts.delete(task);
  try {
    await part.sync();
  } finally {
    await part.close();
  }
  post({ type: "sealed", task, part: { size: part.size, sha256: part.sha256() } });
}

async function fail(task: number, error: unknown): Promise<void> {
  const part = parts.get(task);
  parts.delete(task);
  await part?.close().catch(() => {});
  post({ type: "failed", task, failure: failureOf(error) });
}

function failureOf(error: unknown): ThreadFailure {
  if (error === STOPPED || (error instanceof Error && error.name === "AbortError"))
    return { type: "stopped" };
  if (error instanceof SourcesFailed) return { type: "sources", message: error.message };
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: "system", code: code ?? "", message: message ?? String(error) };
}

function post(message: FromThread): void {
  parentPort?.postMessage(message, []);
}
