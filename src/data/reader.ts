import type { Writable } from "node:stream";
import type { DataFacts } from "../core/data.ts";
import type { ByteRange } from "./types.ts";

/** Reads one replica, or an arrival as it grows. Close it, or send it to its end. */
export declare class DataReader {
  readonly facts: DataFacts;
  /** Sends and closes. Destroys the target, and rejects, when it cannot send all. */
  sendTo(target: Writable, range?: ByteRange): Promise<void>;
  /** Copies: each piece is the caller's own. Closes at its end. */
  pieces(range?: ByteRange): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}
