import type { Sha256 } from "../core/data.ts";
import type { DataFacts } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import type { Glob } from "../core/glob.ts";
import type { DataReader } from "./reader.ts";
import type {
  Adoption,
  ArrivalInfo,
  Arrived,
  Body,
  LocalPart,
  Loss,
  PullOptions,
  ReaderOptions,
  ReceiveOptions,
  Replica,
  Verdict,
} from "./types.ts";

export interface DataDirectoryOptions {
  readonly path: string;
  /** The cluster's name; a directory is of one cluster. */
  readonly cluster: string;
  readonly warn: (message: string) => void;
  /** A replica turned out to be gone or damaged after `open`. */
  readonly onLost?: ((loss: Loss) => void) | undefined;
}

/** A node's data: plain files, each under its data url, and the arrivals of more. */
export declare class DataDirectory {
  /** @throws KitchenError `KS_CONFLICT`: it is of another cluster, or another process has it */
  static open(options: DataDirectoryOptions): Promise<DataDirectory>;
  /** The real path. */
  readonly path: string;
  /** What the journal had at `open` whose files were missing or of another size. */
  readonly lost: readonly Loss[];
  /** Replicas whose files had changed times at `open`: they are hashed, and found only when they are sound. */
  verdicts(): AsyncGenerator<Verdict>;
  find(url: DataUrl): Replica | undefined;
  pathOf(url: DataUrl): string;
  replicas(): IterableIterator<Replica>;
  arrivals(): ArrivalInfo[];
  freeBytes(): Promise<number>;
  receive(body: Body, options: ReceiveOptions): Promise<Arrived>;
  /** How much of an upload is here, in bytes; a body that still arrives is broken off. `undefined`: no such upload. */
  uploadOffset(uploadId: string): Promise<number | undefined>;
  pull(options: PullOptions): Promise<Arrived>;
  beginLocal(): LocalPart;
  finishLocal(id: string, facts: DataFacts): Promise<Arrived>;
  abandonLocal(id: string): Promise<void>;
  adopt(patterns: readonly Glob[], options?: { signal?: AbortSignal }): AsyncGenerator<Adoption>;
  openReader(url: DataUrl, options?: ReaderOptions): Promise<DataReader>;
  /** Tells whether there was something to remove. */
  remove(url: DataUrl, sha256?: Sha256): Promise<boolean>;
  close(): Promise<void>;
}
