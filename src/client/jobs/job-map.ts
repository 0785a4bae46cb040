import { KitchenError } from "../../core/errors.ts";
import { seenFromHere } from "../errors.ts";
import { LateBar } from "../display/late-bar.ts";
import type { Job } from "./job.ts";

/** How many calls of a map are under way at once, and how many bytes their arguments may take. */
const MOST_CALLS = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** A call on its way, and how many bytes it took. */
export interface Started<R> {
  readonly job: Job<R>;
  readonly bytes: number;
}

export interface JobMapOptions<R> {
  readonly start: (item: unknown) => Started<R>;
  /** What stands before its bar; `undefined`: it shows none. */
  readonly label: string | undefined;
}

type Items<Item> = Iterable<Item> | AsyncIterable<Item>;

/**
 * The calls of a `map`: awaited, all results in order; iterated over, results in the order in which they come. Items are
 * taken as there is room, so there may be any number of them: at most 10,000 calls and 64 MiB of arguments are under way
 * at once, and when results are iterated over, those that were not taken yet count too. When a call fails, no more are
 * made; those under way go on.
 *
 * @example
 * ```ts
 * const sizes = await c.map(sizeOf, files); // in the order of the files
 * for await (const size of c.map(sizeOf, files)) console.log(size); // as they come
 * ```
 */
export class JobMap<R> implements PromiseLike<R[]>, AsyncIterable<R> {
  readonly #source: Source;
  readonly #start: (item: unknown) => Started<R>;
  readonly #running = new Set<Job<R>>();
  #bytes = 0;
  #count = 0;
  /** By their place, until somebody iterates. */
  #results: R[] = [];
  /** Their places in the order in which they came. */
  #order: number[] = [];
  /** For who iterates: results that were not taken. */
  #ready: R[] | undefined;
  #all: Promise<R[]> | undefined;
  #isTaking = false;
  #isDrained = false;
  #failure: { readonly reason: unknown } | undefined;
  #wake = (): void => {};
  readonly #bar: MapBar | undefined;

  /** @internal */
  constructor(items: Items<unknown>, { start, label }: JobMapOptions<R>) {
    this.#source = sourceOf(items);
    this.#start = start;
    this.#bar = label === undefined ? undefined : new MapBar(label, countOf(items));
    this.#take();
  }

  /**
   * As of a promise: of all results, in order.
   * @throws what the first call that fails throws; KitchenError `KS_USAGE` when the results were iterated over
   */
  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is what it is for
  then<A = R[], B = never>(
    onValues?: ((values: R[]) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#all ??= this.#collect();
    return this.#all.then(onValues, onError);
  }

  /** Results as they come, each once. @throws what the first call that fails throws */
  async *[Symbol.asyncIterator](): AsyncGenerator<R> {
    if (this.#all !== undefined) return yield* await this.#all;
    if (this.#ready !== undefined) throw takenAlready();
    const ready = this.#order.map((place) => this.#results[place]!);
    this.#ready = ready;
    this.#results = [];
    this.#order = [];
    try {
      for (;;) {
        while (ready.length > 0) {
          const next = ready.shift() as R;
          this.#take();
          yield next;
        }
        if (this.#failure !== undefined) throw seenFromHere(this.#failure.reason);
        if (this.#isDone) return;
        await this.#change();
      }
    } finally {
      this.#stop();
    }
  }

  /** Makes no more calls, and cancels those that have not ended. Whoever waits gets `KS_CANCELLED`. */
  async cancel(reason = ""): Promise<void> {
    if (this.#isDone) return;
    const why = reason === "" ? "" : `: ${reason}`;
    this.#fail(new KitchenError("KS_CANCELLED", `The map was cancelled${why}`));
    await Promise.all([...this.#running].map((job) => job.cancel(reason)));
  }

  async #collect(): Promise<R[]> {
    if (this.#ready !== undefined) throw takenAlready();
    while (!this.#isDone && this.#failure === undefined) await this.#change();
    if (this.#failure !== undefined) throw seenFromHere(this.#failure.reason);
    return this.#results;
  }

  get #isDone(): boolean {
    return this.#isDrained && this.#running.size === 0;
  }

  get #hasRoom(): boolean {
    const open = this.#running.size + (this.#ready?.length ?? 0);
    return !this.#isDrained && open < MOST_CALLS && (open === 0 || this.#bytes < MOST_BYTES);
  }

  /** Makes calls of as many items as there is room for. */
  #take(): void {
    try {
      while (!this.#isTaking && this.#hasRoom) {
        if (this.#source.isAsync) void this.#takeLater(this.#source.iterator.next());
        else this.#begin(this.#source.iterator.next());
      }
    } catch (reason) {
      this.#fail(reason);
    }
  }

  async #takeLater(item: PromiseLike<IteratorResult<unknown>>): Promise<void> {
    this.#isTaking = true;
    try {
      const next = await item;
      if (!this.#isDrained) this.#begin(next);
    } catch (reason) {
      this.#fail(reason);
    }
    this.#isTaking = false;
    this.#take();
  }

  #begin(next: IteratorResult<unknown>): void {
    if (next.done === true) {
      this.#isDrained = true;
      return this.#tell();
    }
    const place = this.#count++;
    const { job, bytes } = this.#start(next.value);
    this.#running.add(job);
    this.#bytes += bytes;
    const end = (): void => {
      this.#running.delete(job);
      this.#bytes -= bytes;
    };
    job.then(
      (result) => {
        end();
        this.#arrive(place, result);
      },
      (reason: unknown) => {
        end();
        this.#fail(reason);
      },
    );
  }

  #arrive(place: number, result: R): void {
    this.#bar?.arrive();
    if (this.#ready === undefined) {
      this.#results[place] = result;
      if (this.#all === undefined) this.#order.push(place);
    } else this.#ready.push(result);
    this.#take();
    this.#tell();
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#stop();
  }

  #stop(): void {
    if (!this.#isDrained) {
      this.#isDrained = true;
      void close(this.#source);
    }
    this.#tell();
  }

  /** Something has come to its end: who waits looks again. */
  #tell(): void {
    if (this.#isDone || this.#failure !== undefined) this.#bar?.end();
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Which of the two it is shows by what was iterated over: promises of other realms are no `instanceof Promise`. */
type Source =
  | { readonly isAsync: false; readonly iterator: Iterator<unknown> }
  | { readonly isAsync: true; readonly iterator: AsyncIterator<unknown> };

function sourceOf(items: Items<unknown>): Source {
  return Symbol.asyncIterator in items
    ? { isAsync: true, iterator: items[Symbol.asyncIterator]() }
    : { isAsync: false, iterator: items[Symbol.iterator]() };
}

/** What it throws at its end is no result of the map. */
async function close({ iterator }: Source): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

/** How many there are, when that can be known. */
function countOf(items: object): number | null {
  const count: unknown = Reflect.get(items, "length") ?? Reflect.get(items, "size");
  return typeof count === "number" ? count : null;
}

/** How many of a map's results have come. */
class MapBar {
  readonly #label: string;
  readonly #total: number | null;
  readonly #bar = new LateBar();
  #done = 0;

  constructor(label: string, total: number | null) {
    this.#label = label;
    this.#total = total;
    this.#show();
  }

  arrive(): void {
    this.#done += 1;
    this.#show();
  }

  /** What was reached stays to be seen. */
  end(): void {
    this.#bar.end({ isKept: true });
  }

  #show(): void {
    this.#bar.show({ done: this.#done, total: this.#total, label: this.#label });
  }
}

function takenAlready(): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    "Cannot take the results of this map twice: they were iterated over, which keeps none (await the map to keep all)",
  );
}
