/** What goes in and out of a data directory. Words: docs/glossary.md. */
import type { Readable } from "node:stream";
import type { DataFacts, DataType, Sha256 } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";

/** This node's copy of the data behind a data url: a file in its data directory. */
export interface Replica extends DataFacts {
  readonly createdAtMs: number;
}

/** Why data that this node kept is not there any more. */
export interface Loss {
  readonly replica: Replica;
  readonly reason: string;
  /** Its file is there, or something in its place, and is not the data: it was put aside. Else it is gone. */
  readonly isDamaged: boolean;
}

/** Data that is in place. */
export interface Arrived {
  readonly replica: Replica;
  /** The same data was here before. */
  readonly isKnown: boolean;
  /** Of what was pulled: the source that sent the last of it. */
  readonly from?: string | undefined;
}

export type ArrivalKind = "upload" | "pull" | "local";

/** An arrival in progress. */
export interface ArrivalInfo {
  readonly kind: ArrivalKind;
  /** `null`: of a worker's part, until it is finished. */
  readonly url: DataUrl | null;
  /** In bytes; `null`: nobody said. */
  readonly size: number | null;
  readonly receivedBytes: number;
  readonly startedAtMs: number;
}

export interface ReceiveOptions {
  readonly url: DataUrl;
  readonly codec: string | null;
  readonly type: DataType;
  /** What the sender says the whole is, in bytes; checked. */
  readonly size?: number | undefined;
  /** Checked. */
  readonly sha256?: Sha256 | undefined;
  /** What is said behind the body of its hash, if anything; asked for when all of it has come. Checked too. */
  readonly sha256Behind?: (() => Sha256 | undefined) | undefined;
  /** Under it, an upload that breaks off can be continued for ten minutes, unless its room is needed before. */
  readonly uploadId?: string | undefined;
  /** Where the body goes on: what {@link DataDirectory.uploadOffset} said. */
  readonly offset?: number | undefined;
  /** Nobody else has the pieces of the body: they may be given to another thread instead of copied. Default: false. */
  readonly ownsPieces?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A body that is read in order: an HTTP request's, or any other. */
export type Body = Readable;

export interface PullOptions {
  readonly facts: DataFacts;
  /** Where it can be had, best first: `http://10.0.0.2:6323/v1/data/mylarge/dataset`. */
  readonly sources: readonly string[];
  readonly token: string | null;
  readonly cluster: string;
  /** A source that sends nothing for so long is left for the next one. */
  readonly idleMs: number;
  /** Told of each source that a damaged part came from, perhaps: not all of several need be at fault. */
  readonly onDamaged?: ((source: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A part that a worker of this node writes. */
export interface LocalPart {
  readonly id: string;
  /** Where to write it: the file is not there yet. */
  readonly path: string;
}

/** What {@link DataDirectory.adopt} says of a file that matches. */
export type Adoption =
  | { readonly type: "adopted"; readonly replica: Replica }
  | { readonly type: "refused"; readonly path: string; readonly reason: string };

export interface ReaderOptions {
  /** How long to wait for an arrival to begin when there is neither replica nor arrival. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a node has moved since its start. */
export interface Moved {
  readonly sentBytes: number;
  readonly receivedBytes: Readonly<Record<ArrivalKind, number>>;
}
