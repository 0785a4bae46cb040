/** Memory of node and worker while a file passes through that is larger than either may be. */
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RemoteData } from "kitchensink";
import { useStore } from "../../support/stores.ts";
import { nodeProcesses } from "../../support/node-processes.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as functions from "./fixtures/functions.mjs";

const redis = useStore("redis");
const SIZE = 2_000_000_000;
const MOST_KIB = 300_000_000 / 1024;

/** The most memory that a process has had, in KiB. */
function peakKiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Sparse but for its ends, so that it costs no disk until somebody copies it. */
function largeFile(): string {
  const path = join(temporaryDirectory(), "large.bin");
  const file = openSync(path, "w");
  writeSync(file, "begin");
  writeSync(file, "end", SIZE - 3);
  closeSync(file);
  truncateSync(path, SIZE);
  return path;
}

test(
  "a file of 2 GB passes through node and worker with less than 300 MB of memory each",
  { timeout: 180_000 },
  async () => {
    const place = nodeProcesses(redis().redisConnection ?? "");
    const [one, two] = [await place.start("node1"), await place.start("node2")];
    const client = place.connect(one);
    const path = largeFile();

    // In from the client, over to another node for a job there, through its worker, and in again from the worker.
    const data = await new RemoteData({ localPath: path, client }).save({ url: "large.bin" });
    const { bytes, maxRssKiB } = await client.with({ node: "node2" }).call(functions.streamThrough, data);
    expect(bytes).toBe(SIZE);
    const copy = await client.with({ node: "node2" }).call(functions.copyOf, data, { url: "copy.bin" });
    const worker = await client.with({ node: "node2" }).call(functions.maxRssKiB);
    expect((await copy.info()).sha256).toBe((await data.info()).sha256);

    // And out to the client.
    let received = 0;
    for await (const piece of new RemoteData({ dataUrl: "large.bin", client }).stream())
      received += (piece as Uint8Array).length;
    expect(received).toBe(SIZE);

    const peaks = { node1: peakKiB(one.pid), node2: peakKiB(two.pid), streaming: maxRssKiB, worker };
    for (const [what, kib] of Object.entries(peaks)) expect(kib, what).toBeLessThan(MOST_KIB);
    for (const url of ["large.bin", "copy.bin"]) await client.data.delete(url);
  },
);
