import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FrameReader, frame } from "../../src/codec/frames.ts";
import { encodeToWorker, parseFromWorker } from "../../src/codec/worker-wire.ts";
import { parseNodeName } from "../../src/core/ids.ts";
import type { FromWorker, ToWorker } from "../../src/core/messages.ts";
import { filesIn, loadedIn, TELLS_LOADED, toolsIn } from "../support/loaded.ts";

const ENTRY = fileURLToPath(new URL("../../dist/worker/child/entry.js", import.meta.url));
const START: ToWorker = {
  type: "start",
  settings: {
    secret: "0".repeat(32),
    node: { name: parseNodeName("n"), url: "http://localhost:1/" },
    access: { url: "http://localhost:1/", token: null, takesData: true },
    modules: [],
    inlineResultBytes: 1_000_000,
    keepsResults: true,
    isArbitraryBanned: false,
  },
};

/** What only some jobs need. */
const TOOLS = [
  "parts/client.js",
  "parts/http.js",
  "child/node-data.js",
  "child/describe.js",
  "node_modules/acorn",
  "node_modules/eslint-scope",
  "node_modules/@jridgewell/trace-mapping",
  "node_modules/lru-cache",
  "node_modules/msgpackr-extract",
  "node_modules/oxc-transform",
  "NativeModule http",
  "NativeModule child_process",
  "NativeModule inspector",
  "NativeModule internal/deps/undici",
];
const MOST_FILES = 20;

/** What a worker has loaded when it is ready. */
async function loadedByWorker(): Promise<string[]> {
  const child = spawn(process.execPath, [...TELLS_LOADED, "--enable-source-maps", ENTRY], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  const channel = child.stdio[3] as Socket;
  const output = text(child.stdout as Socket);
  channel.write(frame(encodeToWorker(START)));
  expect((await firstMessage(child)).type).toBe("ready");
  channel.end();
  await once(child, "exit");
  return loadedIn(await output);
}

function firstMessage(child: ChildProcess): Promise<FromWorker> {
  const reader = new FrameReader(1024 * 1024);
  return new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error("the worker ended")));
    child.stdio[3]?.on("error", reject);
    child.stdio[3]?.on("data", (chunk: Buffer) =>
      reader.push(chunk, (body) => resolve(parseFromWorker(body))),
    );
  });
}

test("a worker that has run nothing has loaded few files, and nothing that only some jobs need", async () => {
  const loaded = await loadedByWorker();
  expect(toolsIn(loaded, ["dist/worker/child/entry.js", "NativeModule net"])).toHaveLength(2);
  expect(toolsIn(loaded, TOOLS)).toEqual([]);
  expect(filesIn(loaded).length).toBeLessThan(MOST_FILES);
});
