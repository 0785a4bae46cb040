import { open, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isData } from "../../capture/wire/is-data.ts";
import { Client } from "../../client/client.ts";
import {
  noCodec,
  type ByteRange,
  type DataAccess,
  type DataContent,
  type PipelineOptions,
  type SaveRequest,
} from "../../client/remote-data/data-access.ts";
import {
  parseDataInfo,
  type DataInfo,
  type DeleteReport,
  type PipelineReport,
} from "../../client/remote-data/data-info.ts";
import { Http } from "../../client/connection/http.ts";
import { Reader } from "../../client/reader.ts";
import { decodeValue } from "../../client/values.ts";
import { CLOSURE_CODEC } from "../../codec/codec.ts";
import { isSameData, type DataFacts } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { NodeAccess, StoredOutcome } from "../../core/messages.ts";
import { NOTHING_PROMISED, Space } from "../../data/space.ts";
import { isDiskFull } from "../../data/storage-error.ts";
import { writePart } from "../../data/write-part.ts";
import { mayReviveCode, type CurrentJob } from "./current-job.ts";
import { Decoded } from "./decoded.ts";
import { keepResult } from "./keep-result.ts";
import { sayWaits } from "./own-waits.ts";
import type { KeptResult } from "./run-job.ts";

export interface NodeDataOptions extends NodeAccess {
  /** The node's name. */
  readonly node: string;
  /** Called while jobs wait for others that they called by {@link NodeData.client}. */
  readonly onWaiting: () => void;
}

interface LocalFile {
  readonly path: string;
  readonly info: DataInfo;
}

/** Tries to read an object that is replaced by another one meanwhile. */
const MOST_TRIES = 5;

/** Other data are saved under the url than a moment ago. */
class Replaced extends KitchenError {
  constructor(url: DataUrl) {
    super("KS_DATA_UNAVAILABLE", `Cannot read ${url}: other data were saved there meanwhile (try again)`);
  }
}

/** Data by way of the files of the worker's own node; what the node does not have, it fetches and keeps. */
export class NodeData implements DataAccess {
  readonly #options: NodeDataOptions;
  readonly #http: Http;
  readonly #decoded = new Decoded();
  #client: Client | undefined;

  constructor(options: NodeDataOptions) {
    this.#options = options;
    this.#http = new Http(new URL(options.url), options.token ?? undefined);
  }

  /** A client of this node, made when somebody needs one. */
  get client(): Client {
    if (this.#client !== undefined) return this.#client;
    const { url, token, onWaiting } = this.#options;
    this.#client = new Client(url, token === null ? {} : { token });
    sayWaits(this.#client, onWaiting);
    return this.#client;
  }

  async info(urls: readonly DataUrl[]): Promise<readonly (DataInfo | undefined)[]> {
    return await this.#remote.info(urls);
  }

  async search(pattern: string): Promise<readonly string[]> {
    return await this.#remote.search(pattern);
  }

  async read(url: DataUrl): Promise<{ readonly info: DataFacts; readonly bytes: Uint8Array }> {
    return await this.#read(url, await this.#local(url));
  }

  async stream(
    url: DataUrl,
    options: ByteRange & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly info: DataFacts; readonly body: AsyncIterable<Uint8Array> }> {
    const local = await this.#local(url);
    if (local === undefined) return await this.#remote.stream(url, options);
    const { start = 0, end = Infinity, signal } = options;
    if (end <= start) return { info: local.info, body: noBytes() };
    const file = await open(local.path).catch(unlessGone);
    if (file === undefined) return await this.#remote.stream(url, options);
    return { info: local.info, body: file.createReadStream({ start, end: end - 1, signal }) };
  }

  async localPath(url: DataUrl): Promise<string> {
    const answer = await this.#ask(url);
    if ("path" in answer) return answer.path;
    throw new KitchenError("KS_DATA_UNAVAILABLE", answer.why);
  }

  async object(url: DataUrl, codec: string | undefined): Promise<unknown> {
    for (let tries = 1; ; tries += 1)
      try {
        return await this.#object(url, codec);
      } catch (error) {
        if (!(error instanceof Replaced) || tries === MOST_TRIES) throw error;
      }
  }

  async #object(url: DataUrl, codec: string | undefined): Promise<unknown> {
    const local = await this.#local(url);
    // The bytes come later: of what was decoded before, none have to.
    const info = local?.info ?? (await this.#remoteFacts(url));
    const facts = codec === undefined ? info : { ...info, codec };
    const decode = async (): Promise<unknown> => {
      const read = await this.#read(url, local);
      if (!isSameData(read.info, info)) throw new Replaced(url);
      return this.decode(facts, read.bytes);
    };
    // What was decoded for a job that may revive code is not for one that may not.
    if (facts.codec === CLOSURE_CODEC && !mayReviveCode()) return await decode();
    return await this.#decoded.get(facts, decode);
  }

  async save(content: DataContent, request: SaveRequest): Promise<DataInfo> {
    const { url, codec, type } = request;
    request.signal?.throwIfAborted();
    const part = await this.#beginPart(content, request);
    // The node says where else it can be saved, or why it cannot.
    if (part === undefined) return await this.#remote.save(content, request);
    const { id, path } = part;
    const source = content.type === "bytes" ? content.bytes : { file: content.path };
    const { size, sha256 } = await writePart(path, source).catch(async (error: unknown) => {
      const failure = isDiskFull(error) ? await explainFull(error, { ...part, url }) : error;
      await this.#http.fetchJson({ method: "DELETE", path: `/v1/parts/${id}` }).catch(() => {});
      throw failure;
    });
    request.onProgress?.({ bytes: size, totalBytes: size });
    return parseDataInfo(await this.#post(`/v1/parts/${id}`, { url, codec, type, size, sha256 }));
  }

  /** A part of the node's own to write; undefined where another node is to keep it, or this one does not take so much. */
  async #beginPart(
    content: DataContent,
    request: SaveRequest,
  ): Promise<{ readonly id: string; readonly path: string; readonly size: number } | undefined> {
    const { takesData, node } = this.#options;
    if (!takesData || (request.node ?? node) !== node) return undefined;
    const size = content.type === "bytes" ? content.bytes.length : (await stat(content.path)).size;
    try {
      const part = new Reader(await this.#post("/v1/parts", { pid: process.pid, size }), "part");
      return { id: part.text("id"), path: part.text("path"), size };
    } catch (error) {
      if (isUnavailable(error)) return undefined;
      throw error;
    }
  }

  /** Keeps what a job came to. @throws KitchenError with what stands in the way */
  async keepResult(job: CurrentJob, result: KeptResult): Promise<StoredOutcome> {
    return await keepResult(this, job, result);
  }

  async delete(url: DataUrl, node?: string): Promise<DeleteReport> {
    return await this.#remote.delete(url, node);
  }

  async pipeline(url: DataUrl, options?: PipelineOptions): Promise<PipelineReport> {
    return await this.#remote.pipeline(url, options);
  }

  decode({ url, codec }: DataFacts, bytes: Uint8Array): unknown {
    if (codec === null) throw noCodec(url);
    if (codec === CLOSURE_CODEC && !isData(bytes) && !mayReviveCode())
      throw new KitchenError(
        "KS_ARBITRARY_BANNED",
        `Cannot read ${url}: it holds more than plain data, which is banned in this job's namespace (save it with the codec "structured")`,
      );
    return decodeValue({ codec, bytes }, { realm: undefined, access: this });
  }

  /** This node's file; undefined where the node has none, and keeps none now. */
  async #local(url: DataUrl): Promise<LocalFile | undefined> {
    const answer = await this.#ask(url);
    return "path" in answer ? answer : undefined;
  }

  /** Where the file was deleted since the node told of it, the cluster says what became of the data. */
  async #read(
    url: DataUrl,
    local: LocalFile | undefined,
  ): Promise<{ readonly info: DataFacts; readonly bytes: Uint8Array }> {
    const bytes = local === undefined ? undefined : await readFile(local.path).catch(unlessGone);
    return local === undefined || bytes === undefined
      ? await this.#remote.read(url)
      : { info: local.info, bytes };
  }

  async #remoteFacts(url: DataUrl): Promise<DataFacts> {
    const [info] = await this.info([url]);
    // Who reads what is not there is told why.
    return info ?? (await this.#remote.read(url)).info;
  }

  async #ask(url: DataUrl): Promise<LocalFile | { readonly why: string }> {
    const answer = new Reader(await this.#post("/v1/local", { url }), "local file");
    if (!answer.has("path")) return { why: answer.text("why") };
    return { path: answer.text("path"), info: parseDataInfo(answer.value("data")) };
  }

  get #remote(): DataAccess {
    return this.client.data.access;
  }

  #post(path: string, body: object): Promise<unknown> {
    return this.#http.fetchJson({
      method: "POST",
      path,
      type: "application/json",
      body: JSON.stringify(body),
      // A node may have to fetch first.
      isLong: true,
    });
  }
}

function unlessGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function isUnavailable(error: unknown): boolean {
  return error instanceof KitchenError && error.code === "KS_DATA_UNAVAILABLE";
}

/** A full disk, with its figures. */
async function explainFull(
  error: unknown,
  { path, size, url }: { readonly path: string; readonly size: number; readonly url: DataUrl },
): Promise<KitchenError> {
  const space = await Space.open({
    root: dirname(path),
    promised: async () => NOTHING_PROMISED,
    onChange: () => {},
  });
  return await space.explain(error, `Cannot save data as "${url}"`, size);
}

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // Nothing.
}
