import { KitchenError, messageOf } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { JobSpec } from "../../core/messages.ts";
import { parseSpec } from "../../codec/wire.ts";
import type { ClaimedJob, RunningJob, Store } from "../../store/port.ts";
import { Alarm } from "../alarm.ts";
import type { AttemptOptions } from "./attempt.ts";
import { awaitedOutcomes } from "./awaited-outcomes.ts";
import type { UnitCache } from "./unit-cache.ts";

const NO_OUTCOMES: readonly Uint8Array[] = [];
/** How long others, and this node, leave a job alone whose code could not be got. */
const STORE_AWAY_MS = 500;

/** A claimed job, with what the store had to give before a worker can begin it. */
export interface ReadyJob extends Omit<AttemptOptions, "run"> {
  /** It was cancelled while the store was asked. */
  readonly isCancelled: boolean;
}

export interface ClaimsOptions {
  readonly node: NodeName;
  readonly store: Store;
  readonly units: UnitCache;
  /** Shared queues, by their plain names. */
  readonly queues: readonly string[];
  /** Whether this node may run jobs that are offered to everybody who takes data, now. */
  readonly takesData: () => boolean;
  /** Whether this node lets captured functions run in the namespace. */
  readonly isArbitraryAllowed: (namespace: string) => boolean;
  /** How many jobs workers could take beside those that are ready. */
  readonly room: () => number;
  /** A claim was answered, after so long. */
  readonly onClaimed: (jobs: readonly ClaimedJob[], tripMs: number) => void;
  readonly onReady: (jobs: readonly ReadyJob[]) => void;
  /** This node does not run it after all; nobody is to see it before `delayMs` have passed. */
  readonly onGivenBack: (job: RunningJob, delayMs?: number) => void;
  /** It can never be begun. */
  readonly onFailed: (job: ClaimedJob, error: unknown) => void;
  /** The node's lease had run out. */
  readonly onLapsed: () => void;
  readonly warn: (message: string) => void;
}

/** Claims as many jobs as there is room for, and gets what a worker needs to begin them. */
export class Claims {
  readonly #options: ClaimsOptions;
  /** Attempts that were cancelled before they were ready: their claim's reply, or their code, is on its way. */
  readonly #cancelled = new Map<JobId, number>();
  /** Claimed jobs whose code units are on their way: they will want a worker each. */
  readonly #loading = new Set<ClaimedJob>();
  #isClaiming = false;
  #claiming: Promise<void> = Promise.resolve();
  #isHeld = false;
  /** Goes up when jobs are given up: what was claimed before is not to run here any more. */
  #era = 0;
  #hasFailed = false;
  #isWoken = false;
  /** The last claim found less than was wanted, and nobody has said since that there is more. */
  #isDry = false;
  #isPaused = true;
  /** Wakes when the next job becomes visible: its claim tells when the one behind it does. */
  readonly #alarm = new Alarm(() => this.wake());

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  resume(): void {
    this.#isPaused = false;
    this.wake();
  }

  /** Claims nothing more. Resolves when no claim is on its way any more, and what is not ready has been given back. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#alarm.clear();
    this.giveUp();
    await this.#claiming;
  }

  /** Gives back what is not ready yet. */
  giveUp(): void {
    this.#era += 1;
    for (const job of this.#loading) this.#options.onGivenBack(job);
    this.#loading.clear();
    this.#settled();
  }

  /** Nothing is claimed until {@link letGo}. Resolves when no claim is on its way any more. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    await this.#claiming;
  }

  letGo(): void {
    this.#isHeld = false;
    this.freed();
  }

  /** There may be work. */
  wake(): void {
    this.#isDry = false;
    this.freed();
  }

  /** There may be room for work. */
  freed(): void {
    if (this.#isDry) return;
    if (this.#isClaiming) {
      this.#isWoken = true;
      return;
    }
    this.#claiming = this.#claim();
  }

  wakeIn(delayMs: number): void {
    if (!this.#isPaused) this.#alarm.set(delayMs);
  }

  /** An attempt that is not ready, if it is one of this node's, is to be cancelled as soon as it is. */
  cancel(id: JobId, attempt: number): void {
    if (this.#isFetching) this.#cancelled.set(id, attempt);
  }

  /** Whether such a job is claimed and not ready; `attempt`: under that one alone. */
  isLoading(id: JobId, attempt?: number): boolean {
    return [...this.#loading].some(
      (job) => job.id === id && (attempt === undefined || job.attempt === attempt),
    );
  }

  async #claim(): Promise<void> {
    this.#isClaiming = true;
    const { node, store, queues, takesData, room, onClaimed, onReady, onLapsed, warn } = this.#options;
    try {
      do {
        this.#isWoken = false;
        const count = room() - this.#loading.size;
        if (this.#isPaused || this.#isHeld || count <= 0) break;
        const askedAtMs = performance.now();
        const era = this.#era;
        const reply = await store.claim({ node, queues, count, takesData: takesData() });
        if (reply.type === "lapsed") return onLapsed();
        this.#hasFailed = false;
        onClaimed(reply.jobs, performance.now() - askedAtMs);
        onReady(reply.jobs.flatMap((job) => this.#accept(job, era) ?? []));
        if (reply.jobs.length === count) this.#isWoken = true;
        else if (!this.#isWoken) this.#isDry = true;
        // The store's clock may be a moment behind: never at once, or the two would go round and round.
        if (reply.nextVisibleMs !== undefined) this.wakeIn(Math.max(1, reply.nextVisibleMs));
      } while (this.#isWoken);
    } catch (error) {
      if (!this.#hasFailed) warn(`cannot claim jobs: ${messageOf(error)}`);
      this.#hasFailed = true;
    } finally {
      this.#isClaiming = false;
      this.#settled();
    }
  }

  /** The job, if nothing has to be asked for. */
  #accept(job: ClaimedJob, era: number): ReadyJob | undefined {
    const { node, units: cache, isArbitraryAllowed, onGivenBack, onFailed } = this.#options;
    if (era !== this.#era) {
      onGivenBack(job);
      return undefined;
    }
    try {
      const spec = parseSpec(job.spec);
      if (spec.name === null && !isArbitraryAllowed(spec.namespace))
        throw new KitchenError(
          "KS_ARBITRARY_BANNED",
          `Captured functions are banned in the namespace "${spec.namespace}" on ${node}`,
        );
      const units = cache.peek(spec.units);
      if (units !== undefined && spec.after.length === 0)
        return this.#ready({ job, spec, units, outcomes: NO_OUTCOMES });
      void this.#load(job, spec);
    } catch (error) {
      onFailed(job, error);
    }
    return undefined;
  }

  async #load(job: ClaimedJob, spec: JobSpec): Promise<void> {
    const { units: cache, store, onReady, onGivenBack, onFailed } = this.#options;
    this.#loading.add(job);
    try {
      const [units, outcomes] = await Promise.all([
        cache.load(spec.units),
        awaitedOutcomes(store, spec.after),
      ]);
      if (this.#loading.delete(job)) onReady([this.#ready({ job, spec, units, outcomes })]);
    } catch (error) {
      if (!this.#loading.delete(job)) return;
      // That the store is away is no answer to a call.
      if (isAway(error)) onGivenBack(job, STORE_AWAY_MS);
      else onFailed(job, error);
    } finally {
      this.#settled();
    }
  }

  #ready(work: Omit<ReadyJob, "isCancelled">): ReadyJob {
    const { id, attempt } = work.job;
    return { ...work, isCancelled: this.#cancelled.get(id) === attempt };
  }

  get #isFetching(): boolean {
    return this.#isClaiming || this.#loading.size > 0;
  }

  #settled(): void {
    if (!this.#isFetching) this.#cancelled.clear();
  }
}

function isAway(error: unknown): boolean {
  return error instanceof KitchenError && error.code === "KS_UNAVAILABLE";
}
