import type { DataFacts } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { Client } from "../client.ts";
import type { DataInfo, DeleteReport, PipelineReport } from "./data-info.ts";

/** Which part of the data, in bytes: from `start` (default 0) up to, not including, `end` (default: to its end). */
export interface ByteRange {
  /** The first byte, from 0. */
  readonly start?: number | undefined;
  /** The byte behind the last one. */
  readonly end?: number | undefined;
}

/** What is to be saved: bytes, or a local file by its absolute path. */
export type DataContent =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "file"; readonly path: string };

/** How much of a save has left this process. */
export interface SaveProgress {
  /** Sent so far. */
  readonly bytes: number;
  /** To be sent in all. */
  readonly totalBytes: number;
}

export interface SaveRequest extends Pick<DataFacts, "url" | "codec" | "type"> {
  /** The node that is to keep it. Default: the node that is asked decides. */
  readonly node?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of a file have been read, when data is there already and is compared before anything is sent. */
  readonly onHash?: ((bytes: number) => void) | undefined;
  readonly onProgress?: ((progress: SaveProgress) => void) | undefined;
}

/** How much of a copy has arrived at a node. */
export interface PipelineProgress {
  /** Its name. */
  readonly node: string;
  /** Arrived there so far. */
  readonly bytes: number;
}

/** Where copies go. */
export interface PipelineOptions {
  /** To these nodes. Default: to all that keep data. */
  readonly nodes?: readonly string[] | undefined;
  /** To so many nodes in all, those that have it already among them. When one fails, another one gets it instead. */
  readonly copies?: number | undefined;
  /** Gives up when it is aborted, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told again and again how much has arrived at a node. */
  readonly onProgress?: ((progress: PipelineProgress) => void) | undefined;
}

/**
 * How RemoteData reaches data: a client does it over HTTP, a worker by way of its node's files. All of it rejects with
 * KitchenError: `KS_NO_SUCH_DATA`, `KS_DATA_UNAVAILABLE`, `KS_DATA_LOST`, `KS_DATA_EXISTS`, `KS_UNAVAILABLE` …; when a
 * signal is aborted, with its reason.
 */
export interface DataAccess {
  /** Makes the calls of `apply`. Absent: the default client does. */
  readonly client?: Client | undefined;
  /** In the order of the urls; undefined for one under which nothing is saved. */
  info(urls: readonly DataUrl[]): Promise<readonly (DataInfo | undefined)[]>;
  /** The urls that a glob matches. */
  search(pattern: string): Promise<readonly string[]>;
  /** All bytes. They may be shared with others who read: nobody writes to them. */
  read(
    url: DataUrl,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly info: DataFacts; readonly bytes: Uint8Array }>;
  /** Whoever gets `body` reads it to its end, or calls its `return`. */
  stream(
    url: DataUrl,
    options?: ByteRange & { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly info: DataFacts; readonly body: AsyncIterable<Uint8Array> }>;
  /** The path of a file with the bytes, which stays for as long as this process. Nobody writes to it. */
  localPath(url: DataUrl): Promise<string>;
  /** Saving the same data under the same url once more changes nothing. */
  save(content: DataContent, request: SaveRequest): Promise<DataInfo>;
  delete(url: DataUrl, node?: string): Promise<DeleteReport>;
  pipeline(url: DataUrl, options?: PipelineOptions): Promise<PipelineReport>;
  /** The object, decoded by `codec` or else by the one it was saved with. It may be shared with others who read it. */
  object(url: DataUrl, codec: string | undefined): Promise<unknown>;
  /** The object that bytes stand for, `info.codec` being what decodes them. */
  decode(info: DataFacts, bytes: Uint8Array): unknown;
}

// One a process, also when the package is loaded twice (once by the worker, once by a module's own copy).
const KEY = Symbol.for("kitchensink.data-access");
const holder = globalThis as { [KEY]?: DataAccess | undefined };

/** Makes the access that this process uses where no client is given; undefined: that of the default client. */
export function setDataAccess(access: DataAccess | undefined): void {
  holder[KEY] = access;
}

/** As {@link setDataAccess}, of one that is made when somebody first asks for it. */
export function setLateDataAccess(make: () => DataAccess): void {
  Object.defineProperty(holder, KEY, {
    configurable: true,
    get: () => {
      const value = make();
      Object.defineProperty(holder, KEY, { configurable: true, writable: true, value });
      return value;
    },
  });
}

/** What {@link setDataAccess} was told. */
export function processAccess(): DataAccess | undefined {
  return holder[KEY];
}

let current: DataAccess | undefined;

/** Runs `body`, which must not wait: RemoteData that it revives uses `access` from then on. */
export function withAccess<T>(access: DataAccess | undefined, body: () => T): T {
  const before = current;
  current = access;
  try {
    return body();
  } finally {
    current = before;
  }
}

/** The access that {@link withAccess} was told of. */
export function currentAccess(): DataAccess | undefined {
  return current;
}

let findClient: () => Client | undefined = () => undefined;

/** Tells where the default client is. Those who need none need not load it. */
export function setDefaultClient(find: () => Client | undefined): void {
  findClient = find;
}

/** What `given` says, else this process's own. @throws KitchenError `KS_USAGE` when there is none */
export function accessOr(given: DataAccess | undefined): DataAccess {
  const access = given ?? holder[KEY] ?? findClient()?.data.access;
  if (access !== undefined) return access;
  throw new KitchenError(
    "KS_USAGE",
    "Cannot reach remote data: no client is given (call setupClient(url) first, or give { client })",
  );
}

/** The client of an access, else the default one. @throws KitchenError `KS_USAGE` when there is none */
export function clientOf(access: DataAccess): Client {
  const client = access.client ?? findClient();
  if (client !== undefined) return client;
  throw new KitchenError(
    "KS_USAGE",
    "Cannot call a function on remote data: there is no client here (call setupClient(url) first, or give { client })",
  );
}

/** Says what can be had of bytes that no codec is known for. */
export function noCodec(what: string): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    `Cannot make an object of ${what}: no codec is known for its bytes (use raw(), localPath() or stream(), or give { codec })`,
  );
}
