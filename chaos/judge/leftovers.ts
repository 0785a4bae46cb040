// What is in Redis and on the disk that should not be there any more.
import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { StageNode } from "../stage/node.ts";
import type { StageRedis } from "../stage/redis.ts";

/** What stays, however long: the number of jobs so far, and the names of queues. */
const FOR_GOOD = /:(seq|queues)$/;
/** Results, output and records of final jobs, what those ran that came to nothing. */
const FOR_A_WHILE = /:(job|spec|outcome|out):[^:]+$/;
/** Code, and what was deleted. */
const FOR_A_WEEK = /:(unit:[^:]+|data-deleted)$/;
const WEEK_MS = 7 * 24 * 60 * 60_000;
const SCAN_COUNT = 1_000;
/** Each node's own folder, whose files are there all the time. */
const OWN = ".kitchensink";
/** An upload that broke off may go on for so long. */
const PART = /^\.kitchensink\/incoming\/[^/]+\.part$/;
const PART_MS = 10 * 60_000;
const OWN_FILES: ReadonlySet<string> = new Set(["cluster.json", "lock", "replicas.jsonl"]);

export interface KeysLeft {
  /** That are there for ever, or longer than they should be. */
  readonly forgotten: readonly string[];
  /** That go when their time has come, but for what is kept for a week. */
  readonly expiring: number;
}

export async function keysLeft(redis: StageRedis, resultTtlMs: number): Promise<KeysLeft> {
  return await redis.ask(async (client) => {
    const forgotten: string[] = [];
    let expiring = 0;
    for await (const batch of client.scanStream({ match: "{ks:*", count: SCAN_COUNT }))
      for (const key of new Set(batch as string[])) {
        const leftMs = await client.pttl(key);
        const isInTime = (mostMs: number): boolean => leftMs >= 0 && leftMs <= mostMs;
        if (FOR_A_WHILE.test(key) && isInTime(resultTtlMs)) expiring += 1;
        else if (FOR_A_WEEK.test(key) && isInTime(WEEK_MS)) continue;
        else if (!FOR_GOOD.test(key) && leftMs !== -2) forgotten.push(key);
      }
    return { forgotten, expiring };
  });
}

/** Paths of files in the data directories: replicas, parts, damaged ones. */
export function dataFilesLeft(nodes: readonly StageNode[]): string[] {
  return nodes.flatMap(({ directory, name }) =>
    filesBelow(directory)
      .map((path) => relative(directory, path))
      .filter((path) => !isOwn(path) && !mayGoOn(directory, path))
      .map((path) => `${name}: ${path}`),
  );
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
}

function mayGoOn(directory: string, path: string): boolean {
  const found = PART.test(path) ? statSync(join(directory, path), { throwIfNoEntry: false }) : undefined;
  return found !== undefined && Date.now() - found.mtimeMs < PART_MS;
}

function isOwn(path: string): boolean {
  const [folder, file = "", ...deeper] = path.split("/");
  return folder === OWN && deeper.length === 0 && OWN_FILES.has(file);
}
