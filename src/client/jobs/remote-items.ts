import { KitchenError } from "../../core/errors.ts";
import { type DataAccess, withAccess } from "../remote-data/data-access.ts";
import { awaitingFrames, reviveThrown } from "../errors.ts";
import type { ItemReader } from "./item-reader.ts";
import type { End } from "./tracked-job.ts";
import { decodeValue, type EncodedValue, outcomeOf } from "../values.ts";

/** What a call gives where it is awaited: a generator's items come one by one, however it makes them. */
export type Returned<Result> = [Result] extends [never]
  ? never
  : 0 extends 1 & Result
    ? Result
    : Awaited<Result> extends
          | Generator<infer Item, infer Return, infer _>
          | AsyncGenerator<infer Item, infer Return, infer _>
      ? AsyncGenerator<Item, Return, undefined>
      : Awaited<Result>;

export interface ItemSource {
  readonly reader: ItemReader;
  /** What the job came to: waits for its end. */
  readonly ended: () => Promise<End>;
  /** Its items are lost: the job is of no use any more. */
  readonly abandon: () => void;
  /** For stacks: the job, as people know it. */
  readonly where: string;
  /** The global object of the vm context to which items belong; undefined for that of this package. */
  readonly realm: object | undefined;
  /** How RemoteData among items reaches its data. */
  readonly access: DataAccess | undefined;
}

/**
 * What awaiting a call of a generator gives: the generator, as it runs on the cluster. It is read once; leaving the
 * loop early has it return there, `finally` blocks included. It runs a little ahead of its reader, and no further.
 *
 * @example
 * ```ts
 * const numbers = await c.call(async function* (count: number) {
 *   for (let n = 0; n < count; n++) yield n;
 * }, 1_000_000);
 * for await (const n of numbers) if (n > 10) break;
 * ```
 */
export class RemoteItems<T = unknown, R = unknown> implements AsyncGenerator<T, R, undefined> {
  readonly #source: ItemSource;
  readonly #items: AsyncGenerator<T, R, undefined>;

  /** @internal */
  constructor(source: ItemSource) {
    this.#source = source;
    this.#items = this.#read();
    unread.register(this, source.reader);
  }

  /**
   * The next item. What the generator throws is thrown here, after the items that it yielded before.
   * @throws KitchenError `KS_USAGE` for a value: items are on their way before they are asked for
   */
  next(...values: readonly unknown[]): Promise<IteratorResult<T, R>> {
    if (values[0] === undefined) return this.#items.next();
    const message =
      "Cannot send a value into a generator that runs elsewhere: it is ahead of its reader (pass what it needs as arguments)";
    return Promise.reject(new KitchenError("KS_USAGE", message));
  }

  /** Has the generator return where it is; resolves when it has. @throws what its `finally` blocks throw */
  async return(value?: R | PromiseLike<R>): Promise<IteratorResult<T, R>> {
    const { reader, ended } = this.#source;
    const isRunning = !reader.isComplete;
    const isTold = await this.#stop();
    // What has ended by itself ended before this point was reached, as far as its reader can see.
    if (isRunning && isTold) await this.#checked(await ended());
    return await this.#items.return(value as R);
  }

  /** Has the generator return, and rejects with `error`: it cannot be thrown into what runs elsewhere. */
  async throw(error: unknown): Promise<IteratorResult<T, R>> {
    await this.return();
    throw error;
  }

  /** Itself: it is read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The same as `return()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#read(): AsyncGenerator<T, R, undefined> {
    const { reader } = this.#source;
    try {
      for (let isComplete = false; !isComplete;) {
        const answer = await this.#more();
        ({ isComplete } = answer);
        const { codec } = answer;
        for (const bytes of answer.items) yield decodeValue({ codec, bytes }, this.#source) as T;
      }
    } finally {
      // A loop whose step throws does not say that it leaves: the generator would wait for a reader for ever.
      if (!reader.isComplete) void reader.close();
    }
    return decodeValue(await this.#checked(await this.#source.ended()), this.#source) as R;
  }

  async #more(): ReturnType<ItemReader["more"]> {
    try {
      return await this.#source.reader.more();
    } catch (error) {
      this.#source.abandon();
      throw error;
    }
  }

  async #stop(): Promise<boolean> {
    try {
      await this.#source.reader.stop();
      return true;
    } catch {
      this.#source.abandon();
      return false;
    }
  }

  async #checked(end: End): Promise<EncodedValue> {
    const { where, realm, access } = this.#source;
    const outcome = await outcomeOf(end, access);
    if (outcome.type !== "error") return outcome;
    const arrival = { where, realm, awaiting: awaitingFrames() };
    throw withAccess(access, () => reviveThrown(outcome.error, arrival));
  }
}

/** Items that nobody can read need not be made. */
const unread = new FinalizationRegistry<ItemReader>((reader) => void reader.close());
