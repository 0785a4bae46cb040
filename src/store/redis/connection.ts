import type { Redis } from "ioredis";
import type { ServerReport } from "./diagnosis.ts";
import type { Scripts } from "./scripts.ts";

/** What the store needs of a Redis, be it one server, the master of some sentinels, or a Redis Cluster. */
export interface Connection {
  readonly scripts: Scripts;
  readList(key: string, from: number): Promise<Buffer[]>;
  /** Resolves when calls can be sent; `undefined`: now. Rejects when there is no connection for long. */
  whenReady(): Promise<void> | undefined;
  /** INFO of all servers that may come to hold the store's keys. */
  infos(): Promise<string[]>;
  /** What these servers tell of themselves. */
  reports(): Promise<ServerReport[]>;
  /** Another connection, for hearing what scripts under this prefix publish. The caller closes it. */
  openSubscriber(prefix: string): Promise<Redis>;
  close(): void;
}
