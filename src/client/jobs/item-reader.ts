import { setTimeout as pause } from "node:timers/promises";
import { encodeItemsRequest, MEDIA_TYPE, parseItemsAnswer } from "../../codec/wire.ts";
import type { JobId } from "../../core/ids.ts";
import type { ItemsAnswer } from "../../core/messages.ts";
import { checked, closedError, type Http, isUnavailable } from "../connection/http.ts";

/** A node gives up a stream that nobody asks about for five minutes. */
const TOUCH_MS = 60_000;
const WAIT_MS = 15_000;
const RECONNECT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface ItemReaderOptions {
  readonly http: Http;
  readonly client: string;
  readonly id: JobId;
  /** 0: whichever attempt streams. */
  readonly attempt: number;
  /** A node that says nothing for so long is asked again, or given up. */
  readonly silenceMs: number;
}

/** Fetches the items of a job's streamed result, in order, each once, and the next ones while these are being used. */
export class ItemReader {
  readonly #options: ItemReaderOptions;
  readonly #touching: NodeJS.Timeout;
  /** The index of the first item that has not come. */
  #next = 0;
  #ahead: Promise<ItemsAnswer> | undefined;
  #isOver = false;
  #isComplete = false;
  #isClosed = false;

  constructor(options: ItemReaderOptions) {
    this.#options = options;
    this.#touching = setInterval(() => void this.#fetch(0).catch(() => {}), TOUCH_MS).unref();
  }

  /** All items have come. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Items in order, one at least unless no more will come. */
  async more(): Promise<ItemsAnswer> {
    for (;;) {
      const answer = await this.#read();
      if (answer.isComplete) this.#complete();
      if (answer.isComplete || answer.items.length > 0) return answer;
    }
  }

  /** Has the generator return; resolves when the node knows. What it has yielded meanwhile is dropped. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    await this.#persist(() => this.#fetch(0));
  }

  /** As {@link stop}, for good: nothing can be read any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.stop().catch(() => {});
  }

  /** The node need not keep them for a lost answer any more. */
  #complete(): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#end();
    void this.#fetch(0).catch(() => {});
  }

  #end(): void {
    this.#isOver = true;
    clearInterval(this.#touching);
  }

  async #read(): Promise<ItemsAnswer> {
    if (this.#isClosed) throw closedError();
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const answer = await (ahead ?? this.#persist(() => this.#fetch(WAIT_MS)));
    this.#next += answer.items.length;
    if (answer.items.length > 1 && !answer.isComplete && !this.#isOver) this.#readAhead();
    return answer;
  }

  /** Does not wait for items: a request that is open would keep the process alive although nobody awaits it. */
  #readAhead(): void {
    this.#ahead = this.#persist(() => this.#fetch(0));
    this.#ahead.catch(() => {});
  }

  async #fetch(waitMs: number): Promise<ItemsAnswer> {
    const { http, client, id, attempt, silenceMs } = this.#options;
    const body = encodeItemsRequest({ client, attempt, from: this.#next, waitMs, isOver: this.#isOver });
    const path = `/v1/jobs/${id}/items`;
    const request = { method: "POST", path, type: MEDIA_TYPE, body, isLong: true, silenceMs } as const;
    const response = await http.fetch(request);
    return parseItemsAnswer(checked(response, http.url).body);
  }

  /** A lost answer is asked for again: the node keeps items until the next ones are asked for. */
  async #persist(fetch: () => Promise<ItemsAnswer>): Promise<ItemsAnswer> {
    const deadlineMs = Date.now() + RECONNECT_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        return await fetch();
      } catch (error) {
        if (!isUnavailable(error) || this.#isClosed || Date.now() > deadlineMs) throw error;
        await pause(pauseMs);
      }
    }
  }
}
