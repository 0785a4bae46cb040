// A cluster as one would run it, with clients that use it: all of it processes of its own, in a directory of its own.
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../settings.ts";
import { StageClient } from "./client.ts";
import type { Exit } from "./child.ts";
import { StageNode } from "./node.ts";
import { StageRedis } from "./redis.ts";

export interface StageEvents {
  readonly onNodeExit: (node: StageNode, exit: Exit, wasAsked: boolean) => void;
  readonly onClientStart: (name: string, journal: string) => void;
  readonly onClientExit: (name: string, exit: Exit) => void;
}

export class Stage {
  readonly root: string;
  readonly token: string;
  readonly begun: string;
  readonly redis: StageRedis;
  readonly nodes: readonly StageNode[];
  readonly clients: readonly StageClient[];

  private constructor(parts: Pick<Stage, "root" | "token" | "begun" | "redis" | "nodes" | "clients">) {
    this.root = parts.root;
    this.token = parts.token;
    this.begun = parts.begun;
    this.redis = parts.redis;
    this.nodes = parts.nodes;
    this.clients = parts.clients;
  }

  /** Starts Redis and the nodes, in an empty directory; clients are started by whoever asks. */
  static async open(root: string, settings: Settings, events: StageEvents): Promise<Stage> {
    for (const folder of ["logs", "journals", "tmp", "client-tmp"]) mkdirSync(join(root, folder));
    const token = randomBytes(24).toString("hex");
    const tokenFile = join(root, "token");
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const begun = begunFile(root);
    const redis = await StageRedis.start(join(root, "redis"));
    const nodes = await Promise.all(
      Array.from({ length: settings.nodes }, (_, at) =>
        StageNode.prepare({
          name: `node${at + 1}`,
          isReadOnly: at === settings.nodes - 1,
          redisPort: redis.port,
          tokenFile,
          resultTtlMs: settings.resultTtlMs,
          root,
          onExit: events.onNodeExit,
        }),
      ),
    );
    await Promise.all(nodes.map((node) => node.start()));
    const load = {
      seed: settings.seed,
      urls: nodes.map(({ url }) => url),
      token,
      callsPerSecond: settings.callsPerSecond / settings.clients,
      begun,
    };
    const clients = Array.from({ length: settings.clients }, (_, at) => {
      const own = { ...load, seed: load.seed + (at + 1) * 1_000 };
      const { onClientStart: onStart, onClientExit: onExit } = events;
      return new StageClient({ name: `client${at + 1}`, root, load: own, onStart, onExit });
    });
    return new Stage({ root, token, begun, redis, nodes, clients });
  }

  /** Ends what is left, at once. */
  async close({ keepsFiles }: { readonly keepsFiles: boolean }): Promise<void> {
    await Promise.all(this.clients.map((client) => client.kill()));
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")));
    for (const node of this.nodes) node.closeWays();
    await this.redis.kill();
    if (!keepsFiles) rmSync(this.root, { recursive: true, force: true });
  }
}

/** Where runs say that they begin. */
export function begunFile(root: string): string {
  return join(root, "journals", "begun.jsonl");
}
