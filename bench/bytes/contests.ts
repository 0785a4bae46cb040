// What is measured of bytes, and what beside it.
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";
import { get } from "../../src/transfer/get.ts";
import { inParallel } from "../../src/data/in-parallel.ts";
import { cpuMs } from "../support/processes.ts";
import { run } from "../support/programs.ts";
import type { Stage } from "./stage.ts";

const PARALLEL = 16;
/** Round trips of small things are repeated within a round. */
const REPEATED_BYTES = 20_000_000;

/** What one thing took; what is done before and after it is not counted. */
export interface Cost {
  readonly seconds: number;
  /** Of the client and the nodes together. */
  readonly cpuSeconds: number;
}

export interface Contest {
  readonly what: string;
  /** That go through once. */
  readonly bytes: number;
  /** How often that is done in each round. */
  readonly times: number;
  readonly ours: () => Promise<Cost>;
  /** `run` gives seconds. */
  readonly peer?: { readonly name: string; readonly run: () => Promise<number> } | undefined;
  /** As a share of the peer's speed, or of its time. */
  readonly target?: { readonly speed: number } | { readonly time: number };
}

export async function contestsOf(stage: Stage): Promise<Contest[]> {
  const large = await saved(stage, "large");
  const small = await saveSmall(stage);
  const { largeBytes, mediumBytes, objectBytes, smallBytes, smallFiles } = stage.sizes;
  const curl = curlTo(stage);
  return [
    {
      what: "GET to a file, bare",
      times: 1,
      bytes: largeBytes,
      ours: () => bareGet(stage, large),
      peer: curl,
      target: { speed: 1.3 },
    },
    {
      what: "pull to another node: hashed, synced",
      times: 1,
      bytes: largeBytes,
      ours: () => pipeline(stage, large, ["n2"]),
      peer: curl,
      target: { speed: 0.8 },
    },
    {
      what: "localPath(): hashed",
      times: 1,
      bytes: largeBytes,
      ours: () => download(stage, [atUrl(stage, "bench/large")]),
      peer: curl,
      target: { speed: 0.8 },
    },
    {
      what: "localPath() of many small: hashed",
      times: 1,
      bytes: smallBytes * smallFiles,
      ours: () => download(stage, small),
      peer: manyCurls(stage),
      target: { speed: 0.55 },
    },
    {
      what: "save from a file: hashed, synced",
      times: 1,
      bytes: largeBytes,
      ours: () => saveFile(stage),
      peer: stage.hasDd ? { name: "dd, fsync", run: () => dd(stage) } : undefined,
      target: { speed: 0.4 },
    },
    { what: "raw()", times: 1, bytes: mediumBytes, ours: () => raw(stage, mediumBytes) },
    {
      what: "pipeline to 3 nodes",
      times: 1,
      bytes: mediumBytes,
      ours: () => pipelineMedium(stage),
      peer: daskBroadcast(stage, mediumBytes),
      target: { time: 0.6 },
    },
    {
      what: "pipeline to 3 nodes",
      times: 1,
      bytes: largeBytes,
      ours: () => pipeline(stage, large, undefined),
    },
    ...[
      { bytes: objectBytes, target: { time: 0.8 } },
      { bytes: mediumBytes, target: { time: 1.2 } },
    ].map(({ bytes, target }) => ({
      what: "save and obj() of an object",
      bytes,
      times: Math.max(1, Math.round(REPEATED_BYTES / bytes)),
      ours: () => roundtrip(stage, bytes),
      peer: daskRoundtrip(stage, bytes),
      target,
    })),
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return (performance.now() - begunAt) / 1_000;
}

async function costOf({ nodes }: Stage, work: () => Promise<unknown>): Promise<Cost> {
  const pids = [process.pid, ...nodes.map(({ pid }) => pid)];
  const before = cpuMs(pids);
  const seconds = await timed(work);
  return { seconds, cpuSeconds: (cpuMs(pids) - before) / 1_000 };
}

async function saved({ client, served }: Stage, name: string): Promise<RemoteData> {
  return new RemoteData({ localPath: join(served, name), client }).save({ url: `bench/${name}`, node: "n1" });
}

async function saveSmall(stage: Stage): Promise<RemoteData[]> {
  const { client, served, sizes } = stage;
  const all: RemoteData[] = [];
  await inParallel(Array(sizes.smallFiles).keys(), PARALLEL, async (at) => {
    const localPath = join(served, "small", String(at));
    await new RemoteData({ localPath, client }).save({ url: `bench/small/${at}` });
    all.push(atUrl(stage, `bench/small/${at}`));
  });
  return all;
}

/** The way of a pull between nodes, without the hash and without a sync: what the transfer itself costs. */
async function bareGet(stage: Stage, data: RemoteData): Promise<Cost> {
  const { nodes, folder } = stage;
  const { size, sha256 } = await data.info();
  const { url, token } = nodes[0]!;
  const { hostname, port, host } = new URL(url);
  const path = join(folder, "bare");
  const file = openSync(path, "wx");
  const source = {
    shown: url,
    hostname,
    port: Number(port),
    authority: host,
    target: `/v1/replicas/${data.dataUrl}`,
  };
  try {
    return await costOf(stage, async () => {
      const failure = await get({
        source,
        headers: `authorization: Bearer ${token}\r\n`,
        offset: 0,
        size,
        sha256,
        idleMs: 5_000,
        signal: new AbortController().signal,
        onBytes: (bytes) => {
          for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        },
      });
      if (failure !== undefined) throw new Error(failure);
    });
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** The copies are gone afterwards. */
async function pipeline(stage: Stage, data: RemoteData, nodes: readonly string[] | undefined): Promise<Cost> {
  const copied: string[] = [];
  const cost = await costOf(stage, async () => {
    const { copies, failed } = await data.pipeline(nodes === undefined ? {} : { nodes });
    if (failed.length > 0) throw new Error(`Not copied: ${JSON.stringify(failed)}`);
    for (const { node, status } of copies) if (status === "copied") copied.push(node);
  });
  for (const node of copied) await data.delete({ node });
  return cost;
}

/** Of new data each time, as Dask's are. */
async function pipelineMedium(stage: Stage): Promise<Cost> {
  const { client, served } = stage;
  const data = await new RemoteData({ localPath: join(served, "medium"), client }).save({ node: "n1" });
  try {
    return await pipeline(stage, data, undefined);
  } finally {
    await data.delete();
  }
}

/** `all`: by their urls. */
async function download(stage: Stage, all: readonly RemoteData[]): Promise<Cost> {
  const paths: string[] = [];
  const cost = await costOf(stage, () =>
    inParallel(all, PARALLEL, async (data) => void paths.push(await data.localPath())),
  );
  for (const path of paths) rmSync(path);
  return cost;
}

async function saveFile(stage: Stage): Promise<Cost> {
  const { client, served } = stage;
  const data = new RemoteData({ localPath: join(served, "large"), client });
  const cost = await costOf(stage, () => data.save());
  await data.delete();
  return cost;
}

async function raw(stage: Stage, bytes: number): Promise<Cost> {
  const data = await new RemoteData({ raw: randomBytes(bytes), client: stage.client }).save();
  const cost = await costOf(stage, () => atUrl(stage, data.dataUrl!).raw());
  await data.delete();
  return cost;
}

/** As a program does that hands an object over: what reads it has only the url. */
async function roundtrip(stage: Stage, bytes: number): Promise<Cost> {
  const obj = new Uint8Array(randomBytes(bytes));
  const data = new RemoteData({ obj, client: stage.client });
  let back: unknown;
  const cost = await costOf(stage, async () => {
    await data.save();
    back = await atUrl(stage, data.dataUrl!).obj();
  });
  if (Buffer.compare(back as Uint8Array, obj) !== 0) throw new Error("What came back is not what was saved");
  await data.delete();
  return cost;
}

function atUrl({ client }: Stage, dataUrl: string): RemoteData {
  return new RemoteData({ dataUrl, client });
}

function curlTo({ nginx, folder }: Stage): Contest["peer"] {
  if (nginx === undefined) return undefined;
  const path = join(folder, "curled");
  return {
    name: "nginx → curl",
    run: async () => {
      const seconds = await timed(() => run("curl", ["--silent", "--fail", "-o", path, `${nginx.url}large`]));
      rmSync(path);
      return seconds;
    },
  };
}

function manyCurls({ nginx, folder, sizes }: Stage): Contest["peer"] {
  if (nginx === undefined) return undefined;
  const to = join(folder, "curled-small");
  const url = `${nginx.url}small/[0-${sizes.smallFiles - 1}]`;
  return {
    name: "nginx → curl",
    run: async () => {
      mkdirSync(to);
      const flags = ["--silent", "--fail", "--parallel", "--parallel-max", String(PARALLEL)];
      const seconds = await timed(() => run("curl", [...flags, "-o", join(to, "#1"), url]));
      rmSync(to, { recursive: true });
      return seconds;
    },
  };
}

async function dd({ served, folder }: Stage): Promise<number> {
  const to = join(folder, "dd");
  const seconds = await timed(() =>
    run("dd", [`if=${join(served, "large")}`, `of=${to}`, "bs=1M", "conv=fsync"]),
  );
  rmSync(to);
  return seconds;
}

function daskRoundtrip({ dask }: Stage, bytes: number): Contest["peer"] {
  if (dask === undefined) return undefined;
  return {
    name: "Dask scatter, gather",
    run: async () => {
      const { scatter, gather } = await dask.roundtrip(bytes);
      return scatter + gather;
    },
  };
}

function daskBroadcast({ dask }: Stage, bytes: number): Contest["peer"] {
  if (dask === undefined) return undefined;
  return { name: "Dask scatter, broadcast", run: () => dask.broadcast(bytes) };
}
