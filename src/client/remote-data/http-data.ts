import { basename } from "node:path";
import { isSameData, type DataFacts, type Sha256 } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { Client } from "../client.ts";
import {
  noCodec,
  type ByteRange,
  type DataAccess,
  type DataContent,
  type PipelineOptions,
  type SaveRequest,
} from "./data-access.ts";
import { hashOfBytes, hashOfFile } from "./data-hash.ts";
import {
  parseDataInfo,
  parseDeleteReport,
  parsePipelineReport,
  type AdoptReport,
  type DataInfo,
  type DeleteReport,
  type PipelineReport,
  type RefusedFile,
} from "./data-info.ts";
import { Damaged, openDownload, openWhole, pathOfData } from "./download.ts";
import type { Http } from "../connection/http.ts";
import { openLines } from "../connection/json-lines.ts";
import { listIn, malformed, Reader } from "../reader.ts";
import { FileTarget, MemoryTarget } from "./byte-targets.ts";
import { exists, temporaryFile } from "./temporary-files.ts";
import { upload } from "./upload.ts";
import { withSource } from "./upload-source.ts";
import { decodeValue } from "../values.ts";

/** One request asks for at most this many urls. */
const PAGE = 1_000;
/** Asking whether the data is there already costs less than sending it, from about here on. */
const ASK_BYTES = 1024 * 1024;
const MAX_READ_BYTES = 4 * 1024 * 1024 * 1024 - 1;

export interface HttpDataOptions {
  /** Connections of its own: others need not wait behind large data. */
  readonly http: Http;
  readonly client: Client;
  /** See `inRealm`. */
  readonly realm: object | undefined;
}

/** Data by way of one node, as clients reach it. */
export class HttpData implements DataAccess {
  readonly client: Client;
  readonly #http: Http;
  readonly #realm: object | undefined;
  /** Files that were fetched: what has not changed since is not fetched again. */
  readonly #files = new Map<DataUrl, { readonly path: string; readonly sha256: Sha256 }>();

  constructor({ http, client, realm }: HttpDataOptions) {
    this.client = client;
    this.#http = http;
    this.#realm = realm;
  }

  async info(urls: readonly DataUrl[]): Promise<readonly (DataInfo | undefined)[]> {
    const found: (DataInfo | undefined)[] = [];
    for (let at = 0; at < urls.length; at += PAGE) {
      const page = urls.slice(at, at + PAGE);
      const rows = listIn(await this.#post("/v1/catalog", { urls: page }), "data");
      if (rows.length !== page.length) throw malformed("entry for each url");
      for (const row of rows) found.push(row === null ? undefined : parseDataInfo(row));
    }
    return found;
  }

  async search(pattern: string): Promise<readonly string[]> {
    const urls: string[] = [];
    for await (const page of this.find(pattern)) for (const { url } of page) urls.push(url);
    return urls;
  }

  /** What a glob matches, page by page, in the order of the urls. */
  async *find(
    pattern: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<readonly DataInfo[], void, undefined> {
    for (let after: string | null = ""; after !== null;) {
      const query = new URLSearchParams({
        match: pattern,
        limit: String(PAGE),
        ...(after === "" ? {} : { after }),
      });
      const path = `/v1/catalog?${query.toString()}`;
      const answer = await this.#http.fetchJson({ method: "GET", path, signal });
      yield listIn(answer, "data").map(parseDataInfo);
      after = new Reader(answer, "list of data").textOrNull("next");
    }
  }

  async read(
    url: DataUrl,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly info: DataFacts; readonly bytes: Uint8Array }> {
    return await againIfDamaged(() => this.#read(url, options));
  }

  async #read(
    url: DataUrl,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly info: DataFacts; readonly bytes: Uint8Array }> {
    const whole = await openWhole(this.#http, url, { signal });
    const { facts } = whole;
    if (facts.size > MAX_READ_BYTES) {
      whole.drop();
      throw new KitchenError(
        "KS_TOO_LARGE",
        `Cannot read ${url} into memory: it has ${facts.size} bytes, which is more than one buffer holds (use stream() or localPath())`,
      );
    }
    const target = new MemoryTarget(facts.size);
    await whole.into(target);
    return { info: facts, bytes: target.bytes };
  }

  async object(url: DataUrl, codec: string | undefined): Promise<unknown> {
    const { info, bytes } = await this.read(url);
    return this.decode(codec === undefined ? info : { ...info, codec }, bytes);
  }

  async stream(
    url: DataUrl,
    options: ByteRange & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly info: DataFacts; readonly body: AsyncIterable<Uint8Array> }> {
    const { facts, body } = await openDownload(this.#http, url, options);
    return { info: facts, body };
  }

  async localPath(url: DataUrl): Promise<string> {
    return await againIfDamaged(() => this.#localPath(url));
  }

  async #localPath(url: DataUrl): Promise<string> {
    const last = this.#files.get(url);
    const known = last !== undefined && (await exists(last.path)) ? last : undefined;
    const whole = await openWhole(this.#http, url, { known: known?.sha256 });
    if (whole === undefined) return known!.path;
    try {
      const { sha256, size } = whole.facts;
      const path = await temporaryFile(sha256, basename(url), (unfinished) =>
        FileTarget.open(unfinished, size, (target) => whole.into(target)),
      );
      this.#files.set(url, { path, sha256 });
      return path;
    } finally {
      whole.drop();
    }
  }

  async save(content: DataContent, request: SaveRequest): Promise<DataInfo> {
    request.signal?.throwIfAborted();
    return await withSource(content, async (source) => {
      const known =
        source.size > ASK_BYTES && request.node === undefined ? await this.#known(request) : undefined;
      const there = known === undefined ? undefined : await this.#same(known, content, request);
      return there ?? (await upload(this.#http, source, request));
    });
  }

  async delete(url: DataUrl, node?: string): Promise<DeleteReport> {
    const path = pathOfData(url) + (node === undefined ? "" : `?node=${encodeURIComponent(node)}`);
    return parseDeleteReport(await this.#http.fetchJson({ method: "DELETE", path, isLong: true }));
  }

  async pipeline(
    url: DataUrl,
    { nodes, copies, signal, onProgress }: PipelineOptions = {},
  ): Promise<PipelineReport> {
    const request = this.#jsonRequest("/v1/pipelines", { url, nodes, copies });
    for await (const line of openLines(this.#http, { ...request, signal }, "report")) {
      if ("report" in line) return parsePipelineReport(line["report"]);
      if (!("node" in line)) continue;
      const progress = new Reader(line, "progress");
      onProgress?.({ node: progress.text("node"), bytes: progress.number("bytes") });
    }
    throw malformed("report");
  }

  async adopt(patterns: readonly string[], node?: string): Promise<AdoptReport> {
    const adopted: DataInfo[] = [];
    const refused: RefusedFile[] = [];
    for await (const step of this.adopting(patterns, { node })) {
      if ("adopted" in step) adopted.push(step.adopted);
      else refused.push(step.refused);
    }
    return { adopted, refused };
  }

  /** Takes files that lie in data directories into the catalog, and tells of each. */
  async *adopting(
    patterns: readonly string[],
    { node, signal }: { readonly node?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<{ readonly adopted: DataInfo } | { readonly refused: RefusedFile }, void, undefined> {
    const request = this.#jsonRequest("/v1/adopt", { patterns, node });
    for await (const line of openLines(this.#http, { ...request, signal }, "done")) {
      if ("adopted" in line) yield { adopted: parseDataInfo(line["adopted"]) };
      if (!("refused" in line)) continue;
      const file = new Reader(line["refused"], "refused file");
      yield { refused: { path: file.text("path"), reason: file.text("reason") } };
    }
  }

  decode({ url, codec }: DataFacts, bytes: Uint8Array): unknown {
    if (codec !== null) return decodeValue({ codec, bytes }, { realm: this.#realm, access: this });
    throw noCodec(url);
  }

  async #known({ url }: SaveRequest): Promise<DataInfo | undefined> {
    const [info] = await this.info([url]);
    return info;
  }

  /** What is known, when it is the same data and a node with it lives. @throws `KS_DATA_EXISTS` */
  async #same(
    known: DataInfo,
    content: DataContent,
    { url, codec, type, signal, onHash }: SaveRequest,
  ): Promise<DataInfo | undefined> {
    const { size, sha256 } =
      content.type === "file"
        ? await hashOfFile(content.path, { signal, onProgress: onHash })
        : { size: content.bytes.length, sha256: await hashOfBytes(content.bytes) };
    if (!isSameData(known, { url, size, sha256, codec, type }))
      throw new KitchenError(
        "KS_DATA_EXISTS",
        `Cannot save under ${url}: other data is saved there (choose another url, or delete it first)`,
      );
    return known.replicas.some(({ isAlive }) => isAlive) ? known : undefined;
  }

  #post(path: string, body: object): Promise<unknown> {
    return this.#http.fetchJson(this.#jsonRequest(path, body));
  }

  #jsonRequest(
    path: string,
    body: object,
  ): { method: "POST"; path: string; type: "application/json"; body: string } {
    return { method: "POST", path, type: "application/json", body: JSON.stringify(body) };
  }
}

/** Whoever sent damaged bytes knows it by the time that this is thrown: once more, and a sound replica serves. */
async function againIfDamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Damaged) return await read();
    throw error;
  }
}
