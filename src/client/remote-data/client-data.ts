import { parseDataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { PipelineOptions } from "./data-access.ts";
import type { AdoptReport, DataInfo, DeleteReport, PipelineReport } from "./data-info.ts";
import type { HttpData } from "./http-data.ts";

/**
 * The data of a cluster by its urls: `client.data`. What one url holds is for {@link RemoteData}.
 *
 * @example
 * ```ts
 * const urls = await c.data.search("reports/2026-*.csv");
 * const infos = await c.data.info(urls);
 * const bytes = infos.reduce((sum, info) => sum + (info?.size ?? 0), 0);
 * ```
 */
export class ClientData {
  /** @internal */
  readonly access: HttpData;

  /** @internal */
  constructor(access: HttpData) {
    this.access = access;
  }

  /**
   * The data urls that a pattern matches, in order: `*` and `?` within a part, `**` across parts, `[a-z]`.
   *
   * @throws KitchenError `KS_BAD_REQUEST` for a malformed pattern
   */
  async search(pattern: string): Promise<readonly string[]> {
    return await this.access.search(pattern);
  }

  /**
   * What the catalog tells of data. Of several urls: in their order, undefined where nothing is saved.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA` when nothing is saved under the one url
   */
  async info(url: string): Promise<DataInfo>;
  async info(urls: readonly string[]): Promise<readonly (DataInfo | undefined)[]>;
  async info(urls: string | readonly string[]): Promise<DataInfo | readonly (DataInfo | undefined)[]> {
    if (typeof urls !== "string") return await this.access.info(urls.map(parseDataUrl));
    return infoIn(urls, await this.access.info([parseDataUrl(urls)]));
  }

  /**
   * Drops data: all replicas, or those of one node.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA`
   * @example
   * ```ts
   * const { deleted, pending } = await c.data.delete("reports/2025.csv");
   * ```
   */
  async delete(url: string, { node }: { readonly node?: string | undefined } = {}): Promise<DeleteReport> {
    return await this.access.delete(parseDataUrl(url), node);
  }

  /**
   * Copies data to several nodes at once, each from its neighbour.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_LOST` …; a node that cannot take it is in the report, and so is that
   *   there are fewer copies than `copies` asked for
   * @example
   * ```ts
   * const { failed, shortfall } = await c.data.pipeline("mylarge/dataset", { copies: 3 });
   * if (shortfall !== null) console.error(`only ${shortfall.reached}: ${shortfall.reason}`, failed);
   * ```
   */
  async pipeline(url: string, options: PipelineOptions = {}): Promise<PipelineReport> {
    return await this.access.pipeline(parseDataUrl(url), options);
  }

  /**
   * Takes files into the catalog that were put into data directories by other means; their paths there become their data
   * urls.
   *
   * @example
   * ```ts
   * const { adopted, refused } = await c.data.adopt("measurements/**", { node: "node2" });
   * ```
   */
  async adopt(
    patterns: string | readonly string[],
    { node }: { readonly node?: string | undefined } = {},
  ): Promise<AdoptReport> {
    return await this.access.adopt(typeof patterns === "string" ? [patterns] : patterns, node);
  }
}

/** The answer for one url. @throws KitchenError `KS_NO_SUCH_DATA` */
export function infoIn(url: string, [info]: readonly (DataInfo | undefined)[]): DataInfo {
  if (info !== undefined) return info;
  throw new KitchenError(
    "KS_NO_SUCH_DATA",
    `Nothing is saved under ${url} (look with client.data.search(pattern))`,
  );
}
