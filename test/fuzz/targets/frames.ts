/** Streams of frames, in pieces as a network cuts them. */
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { ChildProcess } from "node:child_process";
import { FrameReader } from "../../../src/codec/frames.ts";
import { MEDIA_TYPE, parseClientEvent } from "../../../src/codec/wire.ts";
import { parseFromWorker, parseToWorker } from "../../../src/codec/worker-wire.ts";
import type { JobId } from "../../../src/core/ids.ts";
import type { OrphanGuard } from "../../../src/worker/orphan-guard.ts";
import { OomKills } from "../../../src/worker/oom-kills.ts";
import { WorkerProcess } from "../../../src/worker/worker-process.ts";
import type { RunHandlers } from "../../../src/worker/run-list.ts";
import { framed, packed, packedLists } from "../support/made.ts";
import type { Target } from "../support/target.ts";

const MIB = 1024 * 1024;
const refusals = ["KS_BAD_REQUEST", "KS_TOO_LARGE"] as const;

/** Reads a stream that comes in pieces of a size that the stream itself decides. */
function readFrames(input: Buffer, mostBytes: number, onFrame: (body: Uint8Array) => void): void {
  const reader = new FrameReader(mostBytes);
  const size = 1 + ((input[0] ?? 0) % 97);
  const before = process.memoryUsage().arrayBuffers;
  for (let at = 0; at < input.length; at += size) reader.push(input.subarray(at, at + size), onFrame);
  const taken = process.memoryUsage().arrayBuffers - before;
  if (taken > 4 * MIB + input.length * 10)
    throw new RangeError(`${taken} bytes were taken for ${input.length}`);
}

export const frameTargets: readonly Target[] = [
  {
    name: "client-events",
    refusals,
    recordings: ({ responses }) => {
      const streams = responses.filter(
        ({ head }) => head.includes(MEDIA_TYPE) && head.startsWith("HTTP/1.1 200"),
      );
      return streams.map(({ body }) => body).filter(({ length }) => length > 4);
    },
    made: framed(packedLists),
    read: (input) => readFrames(input, 1_024 * MIB, parseClientEvent),
  },
  {
    name: "frames-from-worker",
    refusals,
    recordings: ({ fromWorker }) => [...fromWorker, Buffer.concat(fromWorker.slice(0, 8))],
    made: framed(packedLists),
    read: (input) => readFrames(input, 128 * MIB, parseFromWorker),
  },
  {
    name: "frames-to-worker",
    refusals,
    recordings: ({ toWorker }) => toWorker,
    made: framed(packed),
    read: (input) => readFrames(input, 2 ** 31, parseToWorker),
  },
  {
    // The node's side of a worker, with runs under way: nothing but the worker's own end may come of it.
    name: "hostile-worker",
    refusals: [],
    recordings: ({ fromWorker }) => [...fromWorker, Buffer.concat(fromWorker.slice(0, 8))],
    made: framed(packedLists),
    read: playHostile,
  },
];

const ACCESS = { url: "http://127.0.0.1:9/", token: null, takesData: false };

async function playHostile(input: Buffer): Promise<void> {
  const child = new FakeChild();
  const worker = new WorkerProcess({
    slot: 1,
    settings: {
      node: { name: "node1" as never, url: "" },
      access: ACCESS,
      modules: [],
      isArbitraryBanned: false,
      inlineResultBytes: 1_000_000,
      keepsResults: false,
    },
    environment: {},
    memoryBytes: undefined,
    oomKills: new OomKills([]),
    child: child as unknown as ChildProcess,
    guard: { watch: () => {} } as unknown as OrphanGuard,
    maxFrameBytes: 128 * MIB,
    onStrayOutput: () => {},
  });
  const ends: number[] = [0, 0, 0];
  for (const run of ends.keys())
    worker.run({ run, jobId: "" as JobId, attempt: 1, spec: input }, new Map(), counting(ends, run), 1);
  child.stdio[3].write(input);
  for (const output of [child.stdout, child.stderr]) output.write(input);
  await new Promise(setImmediate);
  child.emit("close", null, "SIGKILL");
  await worker.exited;
  if (ends.some((count) => count !== 1)) throw new Error(`runs ended ${ends.join(", ")} times`);
  if (Number.isNaN(worker.loadMs)) throw new Error("the load is no number");
  child.end();
}

function counting(ends: number[], run: number): RunHandlers {
  const ignore = (): undefined => undefined;
  const end = (): void => void (ends[run] = (ends[run] ?? 0) + 1);
  return {
    onBegin: ignore,
    onOutput: ignore,
    onStreaming: ignore,
    onItem: ignore,
    onFinished: end,
    onSkipped: end,
    onLost: end,
  };
}

/** What a child process looks like to its parent. */
class FakeChild extends EventEmitter {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly stdio = [null, this.stdout, this.stderr, new PassThrough()] as const;

  end(): void {
    for (const stream of this.stdio) stream?.destroy();
  }
}
