import { KitchenError } from "../../core/errors.ts";
import { MOST_ITEMS } from "../../core/item-window.ts";
import type { ItemsAnswer, ItemsRequest } from "../../core/messages.ts";

/** Whoever reads asks more often than this, also when nothing comes or nothing is wanted for a while. */
export const UNREAD_MS: number = 5 * 60_000;
/** An answer holds about this much at most. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/** A worker stops at half of it, and hears late of what was read. */
const MOST_UNREAD: number = 2 * MOST_ITEMS;

export interface StreamedItemsOptions {
  /** By which the items were encoded. */
  readonly codec: string;
  /** The reader has every item before `from`; when it is over, it wants no more. */
  readonly onRead: (from: number, isOver: boolean) => void;
  /** Nobody has asked for {@link UNREAD_MS}. */
  readonly onUnread: () => void;
}

/**
 * The items of a streamed result that no reader has taken yet. The worker stops when a window of them is unread, so they
 * are few. Asking for an item says that those before it have arrived; until then a lost answer can be given again.
 */
export class StreamedItems {
  readonly #options: StreamedItemsOptions;
  readonly #idle: NodeJS.Timeout;
  #items: Uint8Array[] = [];
  /** The index of the first of {@link #items}. */
  #first = 0;
  #isComplete = false;
  #wake: () => void = () => {};

  constructor(options: StreamedItemsOptions) {
    this.#options = options;
    this.#idle = setTimeout(options.onUnread, UNREAD_MS).unref();
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Tells whether the worker keeps to its window: one that does not would fill the node's memory. */
  push(item: Uint8Array): boolean {
    this.#items.push(item);
    this.#wake();
    return this.#items.length <= MOST_UNREAD;
  }

  /** No item will follow. */
  complete(): void {
    this.#isComplete = true;
    this.#wake();
  }

  close(): void {
    clearTimeout(this.#idle);
    this.complete();
  }

  /**
   * Items from the one asked for on; waits for one as long as the request says.
   * @throws KitchenError `KS_STATE_LOST` when they are gone
   */
  async read({
    from,
    waitMs,
    isOver,
  }: Pick<ItemsRequest, "from" | "waitMs" | "isOver">): Promise<ItemsAnswer> {
    this.#idle.refresh();
    this.#take(from);
    this.#options.onRead(from, isOver);
    if (this.#items.length === 0 && !this.#isComplete && !isOver) await this.#arrival(waitMs);
    // Another reader may have been faster.
    const items = from === this.#first ? this.#some() : [];
    const isComplete = this.#isComplete && items.length === this.#items.length;
    return { codec: this.#options.codec, items, isComplete };
  }

  #take(from: number): void {
    const count = from - this.#first;
    if (count < 0 || count > this.#items.length)
      throw new KitchenError(
        "KS_STATE_LOST",
        `The items from ${from} on are gone: the items of a call are read once, by one reader, who stands at ${this.#first}`,
      );
    this.#items.splice(0, count);
    this.#first = from;
  }

  #arrival(waitMs: number): Promise<void> {
    // A reader that asks again has given up its first question.
    this.#wake();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #some(): Uint8Array[] {
    let bytes = 0;
    const end = this.#items.findIndex((item) => (bytes += item.length) > ANSWER_BYTES);
    return this.#items.slice(0, end < 0 ? undefined : Math.max(1, end));
  }
}
