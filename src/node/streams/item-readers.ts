import { checked, Http } from "../../client/connection/http.ts";
import { encodeItemsAnswer, encodeItemsRequest, MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { ItemsRequest } from "../../core/messages.ts";
import type { Store } from "../../store/port.ts";
import { livingNodes } from "../facts.ts";
import type { Streams } from "./streams.ts";

/** Longer than a client takes to come back to its node, or to give up. */
const RETURN_MS = 35_000;
const LONGEST_WAIT_MS = 20_000;

export interface ItemReadersOptions {
  readonly node: NodeName;
  readonly store: Pick<Store, "read" | "nodes">;
  readonly streams: Streams;
  /** What this node shows to others of its cluster. */
  readonly token: string | null;
  readonly isConnected: (client: string) => boolean;
  readonly warn: (message: string) => void;
  readonly returnMs?: number;
}

/** Gives items to those who read them, from the node that has them, and stops generators whose readers are gone. */
export class ItemReaders {
  readonly #options: ItemReadersOptions;
  /** What each client reads through this node, with its last request. */
  readonly #readings = new Map<string, Map<JobId, ItemsRequest>>();
  readonly #returns = new Set<NodeJS.Timeout>();
  readonly #nodes = new Map<string, Http>();

  constructor(options: ItemReadersOptions) {
    this.#options = options;
  }

  /** An answer as bytes. @throws KitchenError `KS_NO_SUCH_JOB`, `KS_STATE_LOST`, `KS_WORKER_LOST`, `KS_UNAVAILABLE` */
  async read(id: JobId, request: ItemsRequest): Promise<Uint8Array> {
    const items = this.#options.streams.find(id, request.attempt);
    // Noted when there is something to read: whoever makes ids up leaves nothing here.
    if (items === undefined) {
      const holder = await this.#holder(id);
      this.#note(id, request);
      return await forward(holder, id, request);
    }
    this.#note(id, request);
    const waitMs = Math.min(request.waitMs, LONGEST_WAIT_MS);
    return encodeItemsAnswer(await items.read({ ...request, waitMs }));
  }

  /** The client's event stream broke. If it does not come back, it reads no more. */
  left(client: string): void {
    if (!this.#readings.has(client)) return;
    const timer = setTimeout(() => {
      this.#returns.delete(timer);
      if (!this.#options.isConnected(client)) this.#stopAll(client);
    }, this.#options.returnMs ?? RETURN_MS).unref();
    this.#returns.add(timer);
  }

  close(): void {
    for (const timer of this.#returns) clearTimeout(timer);
    for (const http of this.#nodes.values()) http.close();
  }

  #note(id: JobId, request: ItemsRequest): void {
    const { client, isOver } = request;
    const own = this.#readings.get(client) ?? new Map<JobId, ItemsRequest>();
    if (isOver) own.delete(id);
    else own.set(id, request);
    if (own.size === 0) this.#readings.delete(client);
    else this.#readings.set(client, own);
  }

  #stopAll(client: string): void {
    for (const [id, request] of this.#readings.get(client) ?? [])
      this.read(id, { ...request, waitMs: 0, isOver: true }).catch((error: unknown) =>
        // It may have ended long ago.
        this.#options.warn(`cannot stop the stream of the job ${id}: ${String(error)}`),
      );
  }

  /** The node that ran the job, or runs it. */
  async #holder(id: JobId): Promise<Http> {
    const { store, node, token } = this.#options;
    const [record] = await store.read([id]);
    if (record === undefined)
      throw new KitchenError("KS_NO_SUCH_JOB", `There is no job ${id}, or its result has expired`);
    if (record.node === undefined || record.node === node)
      throw new KitchenError(
        "KS_STATE_LOST",
        `The items of the job ${id} are gone: a call's items are read while it runs, and not kept (call it again)`,
      );
    const { url } = (await livingNodes(store)).find(({ name }) => name === record.node) ?? {};
    if (url === undefined)
      throw new KitchenError(
        "KS_WORKER_LOST",
        `The items of the job ${id} are gone: ${record.node}, the node that ran it, left the cluster (call it again)`,
      );
    const known = this.#nodes.get(url.href) ?? new Http(url, token ?? undefined);
    this.#nodes.set(url.href, known);
    return known;
  }
}

async function forward(http: Http, id: JobId, request: ItemsRequest): Promise<Uint8Array> {
  const response = await http.fetch({
    method: "POST",
    path: `/v1/jobs/${id}/items`,
    type: MEDIA_TYPE,
    body: encodeItemsRequest(request),
    isLong: true,
  });
  return checked(response, http.url).body;
}
