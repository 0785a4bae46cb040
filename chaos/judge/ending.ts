// When all jobs have ended: deletes what is left of data, stops the nodes, and looks what is left behind.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, RemoteData } from "kitchensink";
import type { Settings } from "../settings.ts";
import type { StageNode } from "../stage/node.ts";
import type { Stage } from "../stage/stage.ts";
import type { Census } from "./census.ts";
import type { Data } from "./data.ts";
import type { Gauges } from "./gauges.ts";
import { dataFilesLeft, filesBelow, keysLeft } from "./leftovers.ts";
import type { Tally } from "./tally.ts";

/** Nodes look after their files at each heartbeat. */
const FILES_MS = 20_000;
/** The grace of a node that is asked to stop, and time to stop. */
const STOP_MS = 20_000;
const GONE_MS = 5_000;
const LOOK_MS = 200;
const MB = 1e6;

interface EndingOptions {
  readonly settings: Settings;
  readonly stage: Stage;
  readonly tally: Tally;
  readonly data: Data;
  readonly census: Census;
  readonly gauges: Gauges;
  readonly say: (line: string) => void;
}

export class Ending {
  readonly #options: EndingOptions;
  /** By url, what the catalog said of data that was deleted here, and what came of it. */
  readonly #deletions = new Map<string, object>();

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  async judge(): Promise<void> {
    const { stage, gauges, settings, say } = this.#options;
    await this.#checkData();
    await this.#expectNone("files left over", FILES_MS, () => dataFilesLeft(stage.nodes));
    if (settings.waitsForExpiry) {
      say(`waiting until results have expired, ${settings.resultTtlMs / 1_000} s`);
      await sleep(settings.resultTtlMs);
      await keysLeft(stage.redis, settings.resultTtlMs);
      gauges.note("MB of Redis", await usedMB(stage));
    }
    for (const node of stage.nodes.slice(0, 1)) gauges.take(node.name, node.pid);
    await Promise.all(stage.nodes.map((node) => this.#stop(node)));
    await this.#lookAround();
  }

  /** What was saved is there, what was deleted is not; then the rest is deleted. */
  async #checkData(): Promise<void> {
    const { stage, data, tally } = this.#options;
    const client = new Client(stage.nodes[0]!.directUrl, { token: stage.token, output: "off" });
    try {
      for (const [url, { sha256, isDoomed }] of data.saved)
        if (!isDoomed) await this.#read(client, url, sha256);
      for (const url of await client.data.search("chaos/**")) {
        if (data.deleted.has(url)) tally.break("wrong data", `${url} was deleted, and is there`);
        this.#deletions.set(url, {
          info: await client.data.info(url),
          report: await client.data.delete(url),
        });
      }
    } finally {
      await client.close();
    }
  }

  async #read(client: Client, url: string, sha256: string): Promise<void> {
    const { tally } = this.#options;
    try {
      const bytes = await new RemoteData({ dataUrl: url, client }).raw();
      const found = createHash("sha256").update(bytes).digest("hex");
      if (found !== sha256) tally.break("wrong data", `${url} hashes to ${found}`);
      tally.count("data found at the end");
    } catch (error) {
      tally.break("wrong data", `${url} cannot be read at the end: ${String(error)}`);
    }
  }

  async #stop(node: StageNode): Promise<void> {
    const { tally } = this.#options;
    const exit = await Promise.race([node.end("SIGTERM"), sleep(STOP_MS)]);
    if (exit?.code !== 0) tally.break("not stopped", `${node.name}: ${JSON.stringify(exit)}`);
  }

  async #lookAround(): Promise<void> {
    const { stage, tally, census, settings } = this.#options;
    const { forgotten, expiring } = await keysLeft(stage.redis, settings.resultTtlMs);
    for (const key of forgotten) tally.break("keys left over", key);
    if (settings.waitsForExpiry && expiring > 0)
      tally.break("keys left over", `${expiring} whose time has come`);
    await this.#expectNone("processes left over", GONE_MS, () => census.living());
    await this.#expectNone("files left over", 0, () => dataFilesLeft(stage.nodes));
    await this.#expectNone("files left over", 0, () => filesBelow(join(stage.root, "tmp")));
  }

  async #expectNone(promise: string, withinMs: number, find: () => readonly string[]): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (find().length > 0 && Date.now() < deadline) await sleep(LOOK_MS);
    for (const left of find())
      this.#options.tally.break(promise, left, this.#deletions.get(left.split(": ").at(-1) ?? "") ?? {});
  }
}

/** What Redis has in memory. */
export async function usedMB({ redis }: Stage): Promise<number> {
  const info = await redis.ask((client) => client.info("memory"));
  return Number(/used_memory:(\d+)/.exec(info)?.[1]) / MB;
}
