import { randomUUID } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DataFacts } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";
import type { Promised } from "./space.ts";
import type { ArrivalInfo, ArrivalKind } from "./types.ts";
import { Signal } from "./wait.ts";

export interface ArrivalStart {
  readonly kind: ArrivalKind;
  /** `null`: nobody has said yet. */
  readonly url: DataUrl | null;
  readonly size: number | null;
  /** Known from the start: then it can be read while it grows. */
  readonly facts?: DataFacts | undefined;
}

/** A part on its way. What it has can be read before it is complete, but its last byte only when its hash is right. */
export class Arrival {
  readonly id: string = randomUUID();
  readonly start: ArrivalStart;
  readonly part: string;
  readonly startedAtMs: number = Date.now();
  #receivedBytes = 0;
  #isVerified = false;
  #failure: KitchenError | undefined;
  #isOver = false;
  /** Counts how often it began anew. */
  #edition = 0;
  readonly #changed = new Signal();

  constructor(folder: string, start: ArrivalStart) {
    this.start = start;
    this.part = join(folder, `${this.id}.part`);
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get edition(): number {
    return this.#edition;
  }

  /** What it still has to get, as far as anybody knows. */
  get missingBytes(): number {
    return Math.max(0, (this.start.size ?? 0) - this.#receivedBytes);
  }

  /** Up to where it can be read. So what a reader has in full was the right data when its last byte was sent. */
  get readableBytes(): number {
    const { size } = this.start;
    if (size === null) return 0;
    return this.#isVerified ? size : Math.min(this.#receivedBytes, size - 1);
  }

  get info(): ArrivalInfo {
    const { kind, url, size } = this.start;
    return { kind, url, size, receivedBytes: this.#receivedBytes, startedAtMs: this.startedAtMs };
  }

  grow(receivedBytes: number): void {
    this.#receivedBytes = receivedBytes;
    this.#changed.send();
  }

  /** What came was damaged: whoever reads it has to stop. */
  restart(): void {
    this.#receivedBytes = 0;
    this.#edition += 1;
    this.#changed.send();
  }

  verify(): void {
    this.#receivedBytes = this.start.size ?? this.#receivedBytes;
    this.#isVerified = true;
    this.#changed.send();
  }

  /** It is in place, or it failed. */
  end(failure?: KitchenError): void {
    this.#failure = failure;
    this.#isOver = true;
    this.#changed.send();
  }

  /** Whether there is something to read behind `position`. @throws KitchenError when that will not be */
  hasBeyond(position: number, edition: number): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#edition !== edition) throw this.damaged();
    return this.readableBytes > position || this.#isVerified;
  }

  /** Resolves when there is something to read behind `position`. @throws KitchenError when that will not be */
  async waitBeyond(position: number, edition: number, signal?: AbortSignal): Promise<void> {
    while (!this.hasBeyond(position, edition)) await this.#changed.next(signal);
  }

  /** Resolves when it is in place. @throws KitchenError when it failed */
  async waitForEnd(signal?: AbortSignal): Promise<void> {
    while (!this.#isOver) await this.#changed.next(signal);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What a reader is told whose bytes cannot be trusted. */
  damaged(): KitchenError {
    return new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `Cannot read "${this.start.url}" while it arrives: what came was damaged, and is fetched anew (try again)`,
    );
  }
}

/** The arrivals of a data directory. */
export class Arrivals {
  readonly #folder: string;
  readonly #arrivals = new Set<Arrival>();
  /** Those that nobody sends now, the one that waits longest first, and what gives them up. */
  readonly #idle = new Map<Arrival, () => Promise<void>>();
  /** Of all that have ended, by their way. */
  readonly endedBytes: Record<ArrivalKind, number> = { upload: 0, pull: 0, local: 0 };

  constructor(folder: string) {
    this.#folder = folder;
  }

  begin(start: ArrivalStart): Arrival {
    const arrival = new Arrival(this.#folder, start);
    this.#arrivals.add(arrival);
    return arrival;
  }

  /** Ends an arrival; nothing of its part is left. */
  async end(arrival: Arrival, failure?: KitchenError): Promise<void> {
    this.#arrivals.delete(arrival);
    this.#idle.delete(arrival);
    this.endedBytes[arrival.start.kind] += arrival.receivedBytes;
    arrival.end(failure);
    await rm(arrival.part, { force: true, recursive: true });
  }

  /** Nobody sends it now: it keeps its room for as long as nothing else needs it. `giveUp` ends it, at once. */
  letWait(arrival: Arrival, giveUp: () => Promise<void>): void {
    this.#idle.set(arrival, giveUp);
  }

  /** Somebody sends it again. */
  goOn(arrival: Arrival): void {
    this.#idle.delete(arrival);
  }

  /** Gives up the one that waits longest. Tells whether there was one. */
  async giveUpOne(): Promise<boolean> {
    const [first] = this.#idle;
    if (first === undefined) return false;
    const [arrival, giveUp] = first;
    this.#idle.delete(arrival);
    await giveUp();
    return true;
  }

  /** One that can be read while it grows. */
  readable(url: DataUrl): Arrival | undefined {
    for (const arrival of this.#arrivals)
      if (arrival.start.url === url && arrival.start.facts !== undefined) return arrival;
    return undefined;
  }

  /** Paths of their parts. */
  get parts(): ReadonlySet<string> {
    return new Set(Array.from(this.#arrivals, ({ part }) => part));
  }

  async promised(): Promise<Promised> {
    await Promise.all(Array.from(this.#arrivals, measure));
    const idle = [...this.#idle.keys()];
    return {
      missingBytes: total(this.#arrivals, ({ missingBytes }) => missingBytes),
      idle: {
        missingBytes: total(idle, ({ missingBytes }) => missingBytes),
        receivedBytes: total(idle, ({ receivedBytes }) => receivedBytes),
      },
    };
  }

  list(): ArrivalInfo[] {
    return Array.from(this.#arrivals, ({ info }) => info);
  }
}

/** What workers have written by now, of parts that they were given room for: they tell nobody. */
async function measure(arrival: Arrival): Promise<void> {
  if (arrival.start.kind !== "local" || arrival.start.size === null) return;
  const stats = await stat(arrival.part).catch(() => undefined);
  if (stats !== undefined) arrival.grow(stats.size);
}

function total(arrivals: Iterable<Arrival>, bytesOf: (arrival: Arrival) => number): number {
  let bytes = 0;
  for (const arrival of arrivals) bytes += bytesOf(arrival);
  return bytes;
}
