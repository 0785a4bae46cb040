// All that takes part in the benchmark of bytes: four nodes and a client, files, and what they are compared with.
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../src/client/client.ts";
import { startRedis } from "../../test/store/support/redis.ts";
import { Dask } from "./dask.ts";
import { curlVersion, nginxVersion, startNginx, type Nginx } from "./nginx.ts";
import { startBenchNode, type BenchNode } from "../support/node-process.ts";
import { pythonWith, versionOf } from "../support/programs.ts";

/** One that data is saved on, and three that it is copied to. */
const NODES = 4;
const PIECE_BYTES = 100_000_000;

export interface Sizes {
  readonly largeBytes: number;
  readonly mediumBytes: number;
  readonly objectBytes: number;
  readonly smallBytes: number;
  readonly smallFiles: number;
}

export interface Stage {
  readonly sizes: Sizes;
  readonly nodes: readonly BenchNode[];
  readonly client: Client;
  /** For whatever is written. */
  readonly folder: string;
  /** Below it lies what nginx serves: `large`, `medium` and `small/0` … */
  readonly served: string;
  readonly nginx: Nginx | undefined;
  readonly dask: Dask | undefined;
  readonly hasDd: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** What is not there, and how to get it. */
  readonly skipped: readonly string[];
}

/** Sets everything up for `use`, and leaves nothing of it behind. */
export async function onStage<T>(sizes: Sizes, use: (stage: Stage) => Promise<T>): Promise<T> {
  const cleanups: (() => unknown)[] = [];
  const later = <R>(made: R, undo: (made: R) => unknown): R => {
    cleanups.unshift(() => undo(made));
    return made;
  };
  try {
    const folder = later(mkdtempSync(join(tmpdir(), "kitchensink-bench-")), (path) =>
      rmSync(path, { recursive: true, force: true }),
    );
    const served = makeFiles(join(folder, "served"), sizes);
    const redis = later(await startRedis(), (server) => server.stop());
    const flags = ["--no-redis", "--redis-connection", redis.address, "--num-workers", "1"];
    const nodes: BenchNode[] = [];
    for (let at = 1; at <= NODES; at += 1)
      nodes.push(later(await startBenchNode([...flags, "--node-name", `n${at}`]), (node) => node.stop()));
    const { url, token } = nodes[0]!;
    const client = later(new Client(url, { token, output: "off" }), (made) => made.close());
    const { versions, skipped, hasNginx, hasDd, python } = look();
    const nginx = hasNginx ? later(await startNginx(served), (server) => server.stop()) : undefined;
    const dask = python === undefined ? undefined : later(await Dask.start(python), (made) => made.stop());
    return await use({ sizes, nodes, client, folder, served, nginx, dask, hasDd, versions, skipped });
  } finally {
    for (const undo of cleanups) await undo();
  }
}

function makeFiles(folder: string, { largeBytes, mediumBytes, smallBytes, smallFiles }: Sizes): string {
  mkdirSync(join(folder, "small"), { recursive: true });
  for (const [name, bytes] of Object.entries({ large: largeBytes, medium: mediumBytes }))
    for (let left = bytes; left > 0; left -= PIECE_BYTES)
      appendFileSync(join(folder, name), randomBytes(Math.min(left, PIECE_BYTES)));
  for (let at = 0; at < smallFiles; at += 1)
    writeFileSync(join(folder, "small", String(at)), randomBytes(smallBytes));
  return folder;
}

/** What there is to compare with. */
function look() {
  const [nginx, curl, python] = [nginxVersion(), curlVersion(), pythonWith("distributed")];
  const dd = versionOf("dd", ["--version"], /(\d+\.\d+)/);
  const hasNginx = nginx !== undefined && curl !== undefined;
  return {
    hasNginx,
    hasDd: dd !== undefined,
    python,
    versions: {
      ...(hasNginx ? { nginx, curl } : {}),
      ...(dd === undefined ? {} : { dd }),
      ...(python === undefined ? {} : { Dask: python.version }),
    },
    skipped: [
      ...(hasNginx ? [] : ["nginx → curl (apt-get install nginx curl)"]),
      ...(dd === undefined ? ["dd (apt-get install coreutils)"] : []),
      ...(python === undefined ? ["Dask (apt-get install python3-distributed)"] : []),
    ],
  };
}
