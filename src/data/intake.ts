import type { DataFacts } from "../core/data.ts";
import { KitchenError } from "../core/errors.ts";
import type { Arrival, Arrivals, ArrivalStart } from "./arrival.ts";
import type { DataThread } from "./data-thread.ts";
import type { Shelf } from "./shelf.ts";
import type { Space } from "./space.ts";
import { Turns } from "./turns.ts";
import type { Arrived } from "./types.ts";

export interface IntakeParts {
  readonly arrivals: Arrivals;
  readonly shelf: Shelf;
  readonly space: Space;
  readonly thread: DataThread;
  /** There is an arrival that can be read while it grows. */
  readonly onReadable: () => void;
}

/** What all ways in have in common: an arrival begins, and ends in its place or leaves nothing behind. */
export class Intake {
  readonly shelf: Shelf;
  readonly space: Space;
  readonly thread: DataThread;
  readonly #parts: IntakeParts;
  readonly #admissions = new Turns<"room">();
  #isClosed = false;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.shelf = parts.shelf;
    this.space = parts.space;
    this.thread = parts.thread;
  }

  /** @throws KitchenError `KS_DATA_UNAVAILABLE` when the node is stopping */
  begin(start: ArrivalStart): Arrival {
    if (this.#isClosed)
      throw new KitchenError("KS_DATA_UNAVAILABLE", "Cannot take data: this node is stopping");
    const arrival = this.#parts.arrivals.begin(start);
    if (start.facts !== undefined) this.#parts.onReadable();
    return arrival;
  }

  /** Begins one that the disk has room for beside the others. @throws KitchenError `KS_DATA_UNAVAILABLE` */
  async admit(start: ArrivalStart, what: string): Promise<Arrival> {
    return await this.#withRoom(start.size ?? 0, what, () => this.begin(start));
  }

  /** Makes sure that there is room beside what is promised. @throws KitchenError `KS_DATA_UNAVAILABLE` */
  async checkRoom(what: string): Promise<void> {
    await this.#withRoom(0, what, () => {});
  }

  /** Nobody sends an arrival now. It gives way when others need its room; `giveUp` ends it then, at once. */
  letWait(arrival: Arrival, giveUp: () => Promise<void>): void {
    this.#parts.arrivals.letWait(arrival, giveUp);
  }

  /** Somebody sends it again. */
  goOn(arrival: Arrival): void {
    this.#parts.arrivals.goOn(arrival);
  }

  /** Has `complete` bring the part to its end, and puts it in place. `what`: what could not be done if not. */
  async finish(arrival: Arrival, what: string, complete: () => Promise<DataFacts>): Promise<Arrived> {
    try {
      const facts = await complete();
      const arrived = await this.shelf.put(arrival.part, { ...facts, createdAtMs: Date.now() });
      await this.#parts.arrivals.end(arrival);
      return arrived;
    } catch (error) {
      const failure = await this.space.explain(error, what);
      await this.#parts.arrivals.end(arrival, failure);
      throw failure;
    }
  }

  async abandon(arrival: Arrival, failure: KitchenError): Promise<void> {
    await this.#parts.arrivals.end(arrival, failure);
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Calls `use` while there is room for `bytes` more. One after the other: two that look at the same room would both take it. */
  #withRoom<T>(bytes: number, what: string, use: () => T): Promise<T> {
    return this.#admissions.take("room", async () => {
      try {
        await this.#makeRoom(bytes, what);
      } catch (error) {
        throw await this.space.explain(error, what);
      }
      return use();
    });
  }

  async #makeRoom(bytes: number, what: string): Promise<void> {
    for (;;) {
      const room = await this.space.roomFor(bytes);
      if (room === "yes") return;
      // For what would have no room all the same, nothing is given up.
      if (room === "no" || !(await this.#parts.arrivals.giveUpOne())) throw this.space.full(bytes, what);
    }
  }
}
