import { setImmediate } from "node:timers";
import { setImmediate as turn } from "node:timers/promises";
import { types } from "node:util";
import { ItemWindow } from "../../core/item-window.ts";

type AnyGenerator = Generator<unknown, unknown> | AsyncGenerator<unknown, unknown>;

/** What carries the items to the node. */
export interface ItemSink {
  /** Items follow. */
  open(): void;
  /** Queues an item; it leaves with the next flush. */
  post(bytes: Uint8Array): void;
  flush(): void;
}

/** A generator that never waits gives up the thread this often, so that the node is heard and items leave. */
const TURN_MS = 1;

export function isGenerator(value: unknown): value is AnyGenerator {
  return typeof value === "object" && value !== null && types.isGeneratorObject(value);
}

/** Runs a generator that a function returned: as far ahead of its reader as the window allows, and no further. */
export class StreamedResult {
  readonly #items: AsyncGenerator<unknown, unknown>;
  readonly #encode: (item: unknown) => Uint8Array;
  readonly #sink: ItemSink;
  readonly #window = new ItemWindow();
  #isOver = false;
  #turnedAtMs = 0;
  #willFlush = false;
  #onRead: () => void = () => {};

  constructor(generator: AnyGenerator, encode: (item: unknown) => Uint8Array, sink: ItemSink) {
    this.#items = Symbol.asyncIterator in generator ? generator : asynchronous(generator);
    this.#encode = encode;
    this.#sink = sink;
  }

  /** The reader has every item before `from`; when it is over, it wants no more. */
  read(from: number, isOver: boolean): void {
    this.#window.taken(from);
    this.#isOver ||= isOver;
    this.#onRead();
  }

  /** Nobody wants items any more: the generator is to return. */
  stop(): void {
    this.read(0, true);
  }

  /** What the generator returns. Rejects with what it throws; it is closed then. */
  async run(): Promise<unknown> {
    this.#sink.open();
    for (;;) {
      await this.#room();
      if (this.#isOver) return (await this.#items.return(undefined)).value;
      const { done, value } = await this.#items.next();
      if (done === true) return value;
      await this.#send(value);
    }
  }

  async #send(item: unknown): Promise<void> {
    try {
      const bytes = this.#encode(item);
      this.#window.add(bytes.length);
      this.#sink.post(bytes);
      this.#flushSoon();
    } catch (error) {
      // As a loop over it would: what is thrown while it closes does not hide why.
      await this.#items.return(undefined).catch(() => {});
      throw error;
    }
  }

  /** At the end of this turn, whatever the generator waits for by then. */
  #flushSoon(): void {
    if (this.#willFlush) return;
    this.#willFlush = true;
    setImmediate(() => {
      this.#willFlush = false;
      this.#sink.flush();
    });
  }

  async #room(): Promise<void> {
    if (performance.now() - this.#turnedAtMs >= TURN_MS) {
      this.#sink.flush();
      await turn();
      this.#turnedAtMs = performance.now();
    }
    while (this.#window.isFull && !this.#isOver) {
      this.#sink.flush();
      await new Promise<void>((resolve) => {
        this.#onRead = resolve;
      });
    }
  }
}

/** `yield*` awaits what a synchronous generator yields, and hands `return` and `throw` on to it. */
async function* asynchronous(generator: Generator<unknown, unknown>): AsyncGenerator<unknown, unknown> {
  return yield* generator;
}
