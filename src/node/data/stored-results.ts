import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import { isReserved, isResultUrl, parseResultUrl, resultUrl, RESULTS } from "../../core/result-url.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { Replica } from "../../data/types.ts";
import type { JobRecord, Store } from "../../store/port.ts";

export interface StoredResultsOptions {
  readonly node: NodeName;
  readonly directory: DataDirectory;
  readonly store: Store;
  readonly warn: (message: string) => void;
}

const TIDY_EVERY_MS = 60_000;
/** Records that are read in one step. */
const STEP = 500;

/** Results that are too large for the store, as data of the node: of use only while their job's record refers to them. */
export class StoredResults {
  readonly #options: StoredResultsOptions;
  #timer: NodeJS.Timeout | undefined;
  #tidying: Promise<void> = Promise.resolve();

  constructor(options: StoredResultsOptions) {
    this.#options = options;
  }

  /** Looks after them, now and every minute. */
  start(): void {
    this.#timer = setInterval(() => this.#tidySoon(), TIDY_EVERY_MS).unref();
    this.#tidySoon();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tidying;
  }

  /** Only who runs an attempt saves its result. @throws KitchenError `KS_BAD_REQUEST` for what nobody may save there */
  async permit(url: DataUrl): Promise<void> {
    if (!isReserved(url)) return;
    const of = parseResultUrl(url);
    const [record] = of === undefined ? [] : await this.#options.store.read([of.id]);
    if (record?.state === "running" && record.attempt === of?.attempt) return;
    throw new KitchenError(
      "KS_BAD_REQUEST",
      `Cannot save under ${url}: ${RESULTS} is for results of jobs, while these run (choose another url)`,
    );
  }

  /** The attempt came to nothing: so does a result that it may have kept here. */
  drop(id: JobId, attempt: number): void {
    const replica = this.#options.directory.find(resultUrl(id, attempt));
    if (replica !== undefined) void this.#remove([replica]).catch((error: unknown) => this.#warn(error));
  }

  /** Removes what no record refers to any more. */
  async tidy(): Promise<void> {
    const { directory, store } = this.#options;
    const kept = [...directory.replicas()].filter(({ url }) => isResultUrl(url));
    for (let at = 0; at < kept.length; at += STEP) {
      const step = kept.slice(at, at + STEP).map((replica) => ({ replica, of: parseResultUrl(replica.url) }));
      const records = await store.read(step.flatMap(({ of }) => (of === undefined ? [] : [of.id])));
      const byId = new Map(records.flatMap((record) => (record === undefined ? [] : [[record.id, record]])));
      const useless = step.filter(({ of }) => of === undefined || !isOfUse(byId.get(of.id), of.attempt));
      await this.#remove(useless.map(({ replica }) => replica));
    }
  }

  /** First from the catalog, so that nobody is sent to what is gone. */
  async #remove(replicas: readonly Replica[]): Promise<void> {
    const { node, directory, store } = this.#options;
    if (replicas.length === 0) return;
    await store.deleteData(
      replicas.map(({ url }) => url),
      node,
    );
    for (const { url, sha256 } of replicas) await directory.remove(url, sha256);
    await store.dropped(node, replicas);
  }

  #tidySoon(): void {
    this.#tidying = this.#tidying.then(() => this.tidy()).catch((error: unknown) => this.#warn(error));
  }

  #warn(error: unknown): void {
    this.#options.warn(`cannot look after stored results: ${messageOf(error)}`);
  }
}

/** A result is saved while its attempt runs, and stays when that attempt is the one that was committed. */
function isOfUse(record: JobRecord | undefined, attempt: number): boolean {
  return record?.attempt === attempt && (record.state === "running" || record.state === "succeeded");
}
