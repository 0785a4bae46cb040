import { resolve } from "node:path";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { pointerKindOf, sharePointers } from "../../capture/resolve/pointers.ts";
import { shareByName } from "../../capture/resolve/shared.ts";
import { setPointers } from "../../codec/pointers.ts";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import { showBytes } from "../../core/show-bytes.ts";
import type { Client } from "../client.ts";
import {
  accessOr,
  clientOf,
  currentAccess,
  noCodec,
  type ByteRange,
  type DataAccess,
  type PipelineOptions,
  type SaveProgress,
} from "./data-access.ts";
import type { DataInfo, DeleteReport, PipelineReport } from "./data-info.ts";
import { checkSame, checkTarget, freshUrl, type DataTarget } from "./data-target.ts";
import { JUPYTER_DISPLAY, type RichDisplay, richTable } from "../display/rich.ts";
import type { Job } from "../jobs/job.ts";
import { bytesOf, contentOf, fileOf, piecesOf, type Source, typeOf } from "./remote-source.ts";
import { decodeValue } from "../values.ts";

/** What a RemoteData is made from: exactly one of an object, a local file, bytes, or a data url. */
export type RemoteDataOptions<T> = (
  | { readonly obj: T }
  | { readonly localPath: string }
  | { readonly raw: Uint8Array }
  | { readonly dataUrl: string }
) & {
  /** Reaches the data. Default: inside a job, the node it runs on; else the client of `setupClient`. */
  readonly client?: Client | undefined;
  /**
   * What turns the object into bytes, and bytes into an object: `closure` (default for `obj`), `structured`, `json`, or
   * one that was registered. Default for what is saved: the one it was saved with.
   */
  readonly codec?: string | undefined;
};

/** Where data is saved, and who is told meanwhile. */
export interface SaveOptions extends DataTarget {
  /** The node that is to keep it. Default: the one that the client talks to; inside a job, the one it runs on. */
  readonly node?: string | undefined;
  /** Gives up when it is aborted: `save` throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told again and again how much has left this process. */
  readonly onProgress?: ((progress: SaveProgress) => void) | undefined;
}

/** Which bytes are read. */
export interface StreamOptions extends ByteRange {
  /** Ends the stream with its reason when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What belongs to this process. Not in properties, because those travel; so what is to travel is in properties. */
interface State {
  readonly source: Source;
  readonly codec: string | undefined;
  readonly access: DataAccess | undefined;
  saving?: Promise<DataInfo> | undefined;
}

const states = new WeakMap<object, State>();

/**
 * A small pointer to data: an object, a local file, bytes, or a data url. Saved, it travels in arguments, captured
 * variables and results as its url alone, with the codec if it was made of both; and calls go to nodes that have the
 * data. Saved data never changes.
 *
 * @example
 * ```ts
 * setupClient("http://localhost:6323/");
 * const rows = new RemoteData({ obj: [1, 2, 3] });
 * await rows.save({ url: "mylarge/dataset" });
 * const sum = await client().call(async (data: RemoteData<number[]>) => {
 *   return (await data.obj()).reduce((a, b) => a + b, 0);
 * }, rows);
 * ```
 */
export class RemoteData<T = unknown> {
  /** The name under which the cluster has it, such as `mylarge/dataset`; undefined until it is saved. */
  readonly dataUrl: string | undefined;
  /**
   * What turns the bytes into an object, where `{ dataUrl, codec }` said so; it travels with the pointer. Else there is no
   * such property, and it is the codec that the data was saved with.
   */
  declare readonly codec?: string;

  /**
   * Makes the pointer alone: nothing is sent or read before it is asked for.
   *
   * @throws KitchenError `KS_USAGE` unless it is given exactly one source; `KS_BAD_REQUEST` for what is no data url
   */
  constructor(options: RemoteDataOptions<T>) {
    const source = sourceOf(options);
    this.dataUrl = "dataUrl" in options ? parseDataUrl(options.dataUrl) : undefined;
    // Of what is saved from here, the catalog has it.
    if ("dataUrl" in options && options.codec !== undefined) this.codec = options.codec;
    states.set(this, { source, codec: options.codec, access: options.client?.data.access });
  }

  /**
   * Saves it on the cluster; an object as it is now. Once more under the same url, or under none, changes nothing.
   *
   * @throws KitchenError `KS_DATA_EXISTS` when other data is saved under the url; `KS_USAGE` when it is saved under
   *   another one, or its file cannot be read; `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE`, `KS_UNAVAILABLE` …
   * @example
   * ```ts
   * const table = await new RemoteData({ localPath: "./table.arrow" }).save({ prefix: "tables" });
   * console.log(table.dataUrl); // tables/0198c0de-…
   * ```
   */
  async save(options: SaveOptions = {}): Promise<this> {
    const state = stateOf(this);
    checkTarget(options);
    // Who saves it twice at once saves it once.
    while (state.saving !== undefined) await state.saving.catch(() => {});
    if (this.dataUrl !== undefined) {
      checkSame(this.dataUrl, options);
      return this;
    }
    state.saving = saved(state, options);
    try {
      setUrl(this, (await state.saving).url);
    } finally {
      state.saving = undefined;
    }
    return this;
  }

  /**
   * The object: itself where it was made. Elsewhere a new one each time; but in jobs one for all on the same worker, which
   * nobody should change.
   *
   * @throws KitchenError `KS_USAGE` for bytes that no codec is known for; `KS_NO_SUCH_DATA`, `KS_CANNOT_DECODE` …
   * @example
   * ```ts
   * const rows = await new RemoteData<number[]>({ dataUrl: "mylarge/dataset" }).obj();
   * ```
   */
  async obj(): Promise<T> {
    const { source, codec, access } = stateOf(this);
    if (source.type === "object") return source.value as T;
    if (source.type !== "saved") {
      if (codec === undefined) throw noCodec(shown(this));
      return decodeValue({ codec, bytes: await bytesOf(source, codec) }, { access }) as T;
    }
    return (await accessOr(access).object(urlOf(this, "read"), codec)) as T;
  }

  /**
   * The bytes: what its codec makes of an object, else as they are. Do not write to them: others may read the same.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_LOST`, `KS_DATA_UNAVAILABLE` …
   */
  async raw(): Promise<Uint8Array> {
    const { source, codec, access } = stateOf(this);
    if (!isReadFromCluster(this, source)) return await bytesOf(source, codec);
    return (await accessOr(access).read(urlOf(this, "read"))).bytes;
  }

  /**
   * The absolute path of a file with the bytes: the one it was made from, else a copy that stays for as long as this
   * process. Do not write to it.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_LOST`, `KS_DATA_UNAVAILABLE` …
   * @example
   * ```ts
   * const path = await new RemoteData({ dataUrl: "tables/sales.parquet" }).localPath();
   * ```
   */
  async localPath(): Promise<string> {
    const { source, codec, access } = stateOf(this);
    if (!isReadFromCluster(this, source)) return await fileOf(source, codec);
    return await accessOr(access).localPath(urlOf(this, "fetch"));
  }

  /**
   * The bytes one after the other, as a readable stream of Node: from byte `start` (default 0) up to, not including,
   * `end` (default: to the end). Memory stays small however many they are.
   *
   * @example
   * ```ts
   * for await (const piece of table.stream({ end: 1024 })) console.log(piece.length);
   * ```
   */
  stream(options: StreamOptions = {}): Readable {
    checkRange(options);
    const { source, codec, access } = stateOf(this);
    const pieces = isReadFromCluster(this, source)
      ? piecesFrom(accessOr(access), urlOf(this, "read"), options)
      : piecesOf(source, codec, options);
    return Readable.from(pieces, { objectMode: false });
  }

  /** What the catalog tells of it. @throws KitchenError `KS_USAGE` before it is saved; `KS_NO_SUCH_DATA` */
  async info(): Promise<DataInfo> {
    const url = urlOf(this, "look up");
    const [info] = await accessOr(stateOf(this).access).info([url]);
    if (info !== undefined) return info;
    throw new KitchenError("KS_NO_SUCH_DATA", `Nothing is saved under ${url} (it may have been deleted)`);
  }

  /**
   * Copies it to several nodes at once, each from its neighbour.
   *
   * @throws KitchenError `KS_USAGE` before it is saved; `KS_NO_SUCH_DATA`, `KS_DATA_LOST` …; a node that cannot take it is
   *   in the report, and so is that there are fewer copies than `copies` asked for
   * @example
   * ```ts
   * const { copies, failed } = await table.pipeline({ nodes: ["node2", "node3"] });
   * ```
   */
  async pipeline(options: PipelineOptions = {}): Promise<PipelineReport> {
    const url = urlOf(this, "copy");
    return await accessOr(stateOf(this).access).pipeline(url, options);
  }

  /**
   * Deletes it: on all nodes, or on one. What was made here of an object, file or bytes is unsaved then.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA`
   */
  async delete({ node }: { readonly node?: string | undefined } = {}): Promise<DeleteReport> {
    const { source, access } = stateOf(this);
    const report = await accessOr(access).delete(urlOf(this, "delete"), node);
    if (node === undefined && source.type !== "saved") setUrl(this, undefined);
    return report;
  }

  /**
   * Calls a function on the object, where the data lies, and saves there what it returns.
   *
   * @param options the url or the prefix that the result is saved under; default: `data/<uuid>`
   * @returns a job; awaited, a pointer to the result, which has not left the cluster
   * @throws KitchenError `KS_USAGE` before it is saved
   * @example
   * ```ts
   * const sorted = await table.apply((all) => all.toSorted((a, b) => a - b), { url: "mylarge/sorted" });
   * ```
   */
  apply<R>(fn: (obj: T) => R, { url, prefix }: DataTarget = {}): Job<RemoteData<Awaited<R>>> {
    urlOf(this, "apply a function to");
    checkTarget({ url, prefix });
    const client = clientOf(accessOr(stateOf(this).access)).with({ codec: "closure" });
    const target = { ...(url === undefined ? {} : { url }), ...(prefix === undefined ? {} : { prefix }) };
    return client.call(applied<T, R>, fn, this as RemoteData<T>, RemoteData, target);
  }

  /** What `JSON.stringify` writes of it. */
  toJSON(): { dataUrl: string | undefined; codec?: string } {
    const codec = codecOf(this);
    return { dataUrl: this.dataUrl, ...(codec === undefined ? {} : { codec }) };
  }
}

/** Runs in a worker, where `Data` is the worker's own. Takes nothing from around it. */
async function applied<T, R>(
  fn: (obj: T) => R,
  data: RemoteData<T>,
  Data: typeof RemoteData,
  target: DataTarget,
): Promise<RemoteData<Awaited<R>>> {
  const obj = await fn(await data.obj());
  return await new Data({ obj }).save(target);
}

function shown(data: RemoteData): string {
  const { type } = stateOf(data).source;
  return `RemoteData<${data.dataUrl ?? (type === "saved" ? "nothing" : `unsaved ${type}`)}>`;
}

function stateOf(data: object): State {
  return states.get(data) ?? { source: { type: "saved" }, codec: codecOf(data), access: undefined };
}

/** What came along with it, which anybody may have made. */
function codecOf(data: object): string | undefined {
  return "codec" in data && typeof data.codec === "string" ? data.codec : undefined;
}

/** Saved, an object may have changed since: its bytes are what was saved. */
function isReadFromCluster(data: RemoteData, source: Source): boolean {
  return source.type === "saved" || (source.type === "object" && data.dataUrl !== undefined);
}

async function* piecesFrom(
  access: DataAccess,
  url: DataUrl,
  options: StreamOptions,
): AsyncGenerator<Uint8Array> {
  const { body } = await access.stream(url, options);
  yield* body;
}

async function saved(
  { source, codec, access }: State,
  { url, prefix = "data", node, signal, onProgress }: SaveOptions,
): Promise<DataInfo> {
  const reach = accessOr(access);
  // An object is taken as it is now, before anything is waited for.
  const content = contentOf(source, codec);
  return await reach.save(content, {
    url: url === undefined ? freshUrl(prefix) : parseDataUrl(url),
    codec: source.type === "object" ? (codec ?? "closure") : (codec ?? null),
    type: typeOf(source, codec),
    node,
    signal,
    onProgress,
  });
}

function sourceOf(options: RemoteDataOptions<unknown>): Source {
  // Programs without types, and people at a prompt, give the object itself.
  const given = ["obj", "localPath", "raw", "dataUrl"].filter((key) => Object.hasOwn(Object(options), key));
  if (given.length !== 1)
    throw new KitchenError(
      "KS_USAGE",
      `Cannot make a RemoteData from ${given.length === 0 ? "that" : given.join(" and ")}: give exactly one of obj, localPath, raw and dataUrl, such as { obj: [1, 2] }`,
    );
  if ("obj" in options) return { type: "object", value: options.obj };
  if ("raw" in options) return { type: "bytes", bytes: options.raw };
  return "localPath" in options ? { type: "file", path: resolve(options.localPath) } : { type: "saved" };
}

function checkRange({ start = 0, end = Infinity }: ByteRange): void {
  const isEnd = end === Infinity || (Number.isSafeInteger(end) && end >= 0);
  if (Number.isSafeInteger(start) && start >= 0 && isEnd) return;
  throw new KitchenError(
    "KS_USAGE",
    `Cannot read from byte ${start} up to ${end}: give whole numbers from 0 on`,
  );
}

function urlOf(data: RemoteData, action: string): DataUrl {
  if (data.dataUrl !== undefined) return parseDataUrl(data.dataUrl);
  throw new KitchenError(
    "KS_USAGE",
    `Cannot ${action} ${shown(data)}: it is not saved (await its save() first)`,
  );
}

function setUrl(data: { dataUrl: string | undefined }, url: string | undefined): void {
  data.dataUrl = url;
}

/** One that arrived reaches its data by the way it came. */
function revived(data: object): void {
  states.set(data, { source: { type: "saved" }, codec: codecOf(data), access: currentAccess() });
}

function targetOf(data: object, path: () => string): string {
  if ("dataUrl" in data && typeof data.dataUrl === "string") return parseDataUrl(data.dataUrl);
  throw new KitchenError(
    "KS_USAGE",
    `Cannot send the RemoteData at ${path()}: it is not saved (await its save() first)`,
  );
}

// Not among the methods: types of computed names cannot be told without looking into node:util.
Object.defineProperty(RemoteData.prototype, inspect.custom, {
  configurable: true,
  value(this: RemoteData): string {
    return shown(this);
  },
});
/** What a notebook shows of it; the data stay where they are. */
async function richData(this: RemoteData): Promise<RichDisplay> {
  if (this.dataUrl === undefined) return richTable(shown(this), { saved: "no" });
  const known = await this.info().catch((error: unknown) => String(error));
  if (typeof known === "string") return richTable("RemoteData", { url: this.dataUrl, state: known });
  const { url, size, type, codec, createdAt, replicas } = known;
  return richTable("RemoteData", {
    url,
    size: showBytes(size),
    type: codec === null ? type : `${type}, ${codec}`,
    created: createdAt.toISOString(),
    nodes: replicas.map(({ node, isAlive }) => (isAlive ? node : `${node} (away)`)).join(", "),
  });
}

Object.defineProperty(RemoteData.prototype, JUPYTER_DISPLAY, { configurable: true, value: richData });
shareByName("kitchensink:RemoteData", RemoteData);
sharePointers(RemoteData.prototype, { target: targetOf, revived });
setPointers({
  isPointer: (value) => pointerKindOf(value) !== undefined,
  // By its own copy of this package, which is not always this one.
  target: (pointer, path) => pointerKindOf(pointer)?.target(pointer, path) ?? targetOf(pointer, path),
  codec: codecOf,
  pointerTo: (url, codec) => {
    const data = new RemoteData({ dataUrl: url, codec });
    revived(data);
    return data;
  },
});
