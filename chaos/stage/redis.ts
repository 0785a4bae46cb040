// A Redis with an append-only file, as one would run it, that dies and comes back.
import { mkdirSync } from "node:fs";
import { Redis } from "ioredis";
import { startRedis, type TestRedis } from "../../test/store/support/redis.ts";
import { stablePort } from "./ports.ts";

const DATABASE = 9;

export class StageRedis {
  readonly port: number;
  readonly #directory: string;
  #server: TestRedis | undefined;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
  }

  static async start(directory: string): Promise<StageRedis> {
    mkdirSync(directory, { recursive: true });
    const redis = new StageRedis(await stablePort(), directory);
    await redis.start();
    return redis;
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** From what its file has. */
  async start(): Promise<void> {
    const everysec = ["--appendfsync", "everysec"];
    this.#server = await startRedis({ port: this.port, directory: this.#directory, args: everysec });
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid !== 0) process.kill(this.pid, signal);
  }

  /** Asks it, past all that is in between. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({ port: this.port, db: DATABASE, maxRetriesPerRequest: 2 });
    redis.on("error", () => {});
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }
}
