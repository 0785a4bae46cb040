/** What a data directory and its data thread say to each other. Both are of one build, so nothing is parsed. */
import type { Sha256 } from "../../core/data.ts";
import type { Source } from "../../transfer/source.ts";

export interface PullTask {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
  readonly sources: readonly Source[];
  /** Header lines that every request has, each with its line end. */
  readonly headers: string;
  readonly idleMs: number;
}

/** What hashing a file told. */
export interface HashedFile {
  readonly size: number;
  readonly sha256: Sha256;
  /** Whether it was written to while it was read. */
  readonly isChanging: boolean;
}

export interface SealedPart {
  readonly size: number;
  readonly sha256: Sha256;
}

export type ThreadFailure =
  | { readonly type: "stopped" }
  /** Of the file system; `code` such as `ENOSPC`. */
  | { readonly type: "system"; readonly code: string; readonly message: string }
  /** No source gave all bytes. `message` says why, for each of them. */
  | { readonly type: "sources"; readonly message: string };

export type ToThread =
  | { readonly type: "hash"; readonly task: number; readonly path: string }
  | { readonly type: "pull"; readonly task: number; readonly pull: PullTask }
  | { readonly type: "open"; readonly task: number; readonly path: string }
  /** Gives the pieces away. */
  | { readonly type: "write"; readonly task: number; readonly pieces: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly type: "seal"; readonly task: number }
  | { readonly type: "stop"; readonly task: number };

export type FromThread =
  | { readonly type: "hashed"; readonly task: number; readonly file: HashedFile }
  /** A pull has this many bytes now. */
  | { readonly type: "grown"; readonly task: number; readonly receivedBytes: number }
  /** What a pull had was damaged, and came `from` these places among the sources: it begins anew. */
  | { readonly type: "damaged"; readonly task: number; readonly from: readonly number[] }
  /** It begins anew. */
  | { readonly type: "restarted"; readonly task: number }
  /** A pull has all bytes, and they are the right ones; the last of them `from` this place among the sources. */
  | { readonly type: "verified"; readonly task: number; readonly from: number }
  | { readonly type: "pulled"; readonly task: number }
  | { readonly type: "written"; readonly task: number; readonly bytes: number }
  | { readonly type: "sealed"; readonly task: number; readonly part: SealedPart }
  | { readonly type: "failed"; readonly task: number; readonly failure: ThreadFailure };
