import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { FrameReader, frame, frames } from "../../src/codec/frames.ts";
import { encodeToWorker, parseFromWorker } from "../../src/codec/worker-wire.ts";
import { parseNodeName } from "../../src/core/ids.ts";
import type { ToWorker } from "../../src/core/messages.ts";
import { runOf } from "./support/worker.ts";

const ENTRY = fileURLToPath(new URL("../../dist/worker/child/entry.js", import.meta.url));
const MODULE = fileURLToPath(new URL("fixtures/runs.mjs", import.meta.url));
const START: ToWorker = {
  type: "start",
  settings: {
    secret: "0".repeat(32),
    node: { name: parseNodeName("n"), url: "http://localhost:1/" },
    access: { url: "http://localhost:1/", token: null, takesData: true },
    modules: [MODULE],
    isArbitraryBanned: false,
    inlineResultBytes: 1_000_000,
    keepsResults: true,
  },
};
/** Results are held together for about as long as a run takes, so that not every last one is held. */
const ROUNDS = 8;
const SHORT_ONES = 5;

const message = (run: number, name: "short" | "long"): Buffer =>
  encodeToWorker({ type: "run", ...runOf(run, name) });

test("the result of a short run does not wait for the end of a long one behind it", async () => {
  const child = spawn(process.execPath, [ENTRY], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const channel = child.stdio[3] as Socket;
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const reader = new FrameReader(1024 * 1024);
  /** The runs that ended, by the pieces in which the worker said so. */
  const pieces: number[][] = [];
  let onEnded: () => void = () => {};
  let onReady: () => void = () => {};
  const isReady = new Promise<void>((resolve) => (onReady = resolve));
  channel.on("data", (chunk: Buffer) => {
    pieces.push([]);
    reader.push(chunk, (body) => {
      const said = parseFromWorker(body);
      if (said.type === "finished") pieces.at(-1)?.push(said.run);
      if (said.type === "ready") onReady();
    });
    onEnded();
  });

  channel.write(frame(encodeToWorker(START)));
  await isReady;
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = round * (SHORT_ONES + 1) + 1;
    const long = first + SHORT_ONES;
    const isOver = new Promise<void>((resolve) => {
      onEnded = () => (pieces.some((runs) => runs.includes(long)) ? resolve() : undefined);
    });
    const runs = Array.from({ length: SHORT_ONES }, (_, at) => message(first + at, "short"));
    channel.write(frames([...runs, message(long, "long")]));
    await isOver;
    expect(pieces.find((ends) => ends.includes(long))).toEqual([long]);
  }
});
