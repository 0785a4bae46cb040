import type { Lane, LaneRates, LaneTotals, NodeActivity, RunEnd, RunNote } from "../../core/activity.ts";
import { type JobId, timeOfJob } from "../../core/ids.ts";
import { Histogram } from "../metrics/histogram.ts";
import { Ring } from "./ring.ts";
import { Tally } from "./tally.ts";

/** Of each lane, so that many instant calls do not drive out jobs, nor the other way round. */
const KEPT_RUNS = 4_000;

/** What there is to know of an attempt; times are those of `performance.now()`. */
export interface RunFacts {
  readonly job: { readonly id: JobId; readonly attempt: number; readonly queue: string };
  readonly spec: { readonly label: string };
  readonly claimedAtMs: number;
  readonly begunAtMs: number | undefined;
  /** 0: no worker had it. */
  readonly slot: number;
}

/** A job that ended without a worker: by a cancel while it waited, or because it could not be begun. */
export interface EndNote {
  readonly id: JobId;
  readonly end: RunEnd;
  readonly endedAtMs: number;
  /** `undefined`: it is not known here. */
  readonly label: string | undefined;
}

interface LaneMemory {
  readonly runs: Ring<RunNote>;
  readonly tally: Tally;
  /** How long each worker has been at work, in ms, by its slot. */
  readonly busyMs: Map<number, number>;
}

/** Remembers what the workers of this node did last, and counts all that they did. */
export class Activity {
  readonly #lanes: Readonly<Record<Lane, LaneMemory>> = { queue: newMemory(), instant: newMemory() };
  readonly #unbegun = new Ring<EndNote>(KEPT_RUNS);
  /** From a call to the claim of its job. */
  readonly waits: Histogram = new Histogram();
  #seq = 0;

  /** Jobs waited until now, in ms since the epoch. Their ids, which clients make, begin with the time of the call. */
  claimed(jobs: readonly { readonly id: JobId; readonly attempt: number }[], nowMs: number): void {
    for (const { id, attempt } of jobs) {
      const calledAtMs = attempt === 1 ? timeOfJob(id) : undefined;
      if (calledAtMs !== undefined) this.waits.observeMs(Math.max(0, nowMs - calledAtMs));
    }
  }

  /** A claimed job has failed, as it cannot be begun. */
  refused(id: JobId): void {
    this.#lanes.queue.tally.ended("failed", performance.now());
    this.failedUnbegun([{ id }]);
  }

  begun(lane: Lane, nowMs: number): void {
    this.#lanes[lane].tally.begun(nowMs);
  }

  /** `ranMs`: by the worker's clock. */
  ended(lane: Lane, { job, spec, claimedAtMs, begunAtMs, slot }: RunFacts, end: RunEnd, ranMs: number): void {
    const { runs, tally, busyMs } = this.#lanes[lane];
    const nowMs = performance.now();
    const hasBegun = begunAtMs !== undefined;
    tally.ended(end, nowMs);
    if (hasBegun) {
      tally.took(ranMs);
      busyMs.set(slot, (busyMs.get(slot) ?? 0) + nowMs - begunAtMs);
    }
    runs.push({
      seq: (this.#seq += 1),
      id: job.id,
      attempt: job.attempt,
      label: spec.label,
      lane,
      slot: hasBegun ? slot : 0,
      queue: lane === "queue" ? job.queue : null,
      claimedAtMs,
      begunAtMs: begunAtMs ?? null,
      endedAtMs: nowMs,
      end,
    });
  }

  /** Jobs ended that no worker here had. */
  endedUnbegun(jobs: readonly { readonly id: JobId; readonly label?: string }[], end: RunEnd): void {
    const endedAtMs = performance.now();
    for (const { id, label } of jobs) this.#unbegun.push({ id, end, endedAtMs, label });
  }

  readonly failedUnbegun = (jobs: readonly { readonly id: JobId; readonly label?: string }[]): void =>
    this.endedUnbegun(jobs, "failed");

  /** Up to `most` of the runs that ended after the one with this number, evenly chosen among those that are known. */
  since(seq: number, most: number): Omit<NodeActivity, "status"> {
    // A number of an earlier process of this node's.
    const after = seq > this.#seq ? 0 : seq;
    const known = Object.values(this.#lanes).flatMap(({ runs }) => takeWhile(runs, (run) => run.seq > after));
    const chosen = evenly(
      known.toSorted((a, b) => a.seq - b.seq),
      most,
    );
    return { runs: chosen.map(inEpoch), skipped: this.#seq - after - chosen.length, seq: this.#seq };
  }

  /** The jobs that ended last, of queues alone, newest first; of an end and a label if these are given. */
  lastEnded(most: number, end: RunEnd | undefined, label: string | undefined): JobId[] {
    const isMeant = (note: Pick<EndNote, "end" | "label">): boolean =>
      note.end !== "queued" &&
      (end === undefined || note.end === end) &&
      (label === undefined || (note.label?.includes(label) ?? true));
    const notes = [this.#lanes.queue.runs, this.#unbegun].flatMap((ring) => {
      const found: Pick<EndNote, "id" | "endedAtMs">[] = [];
      for (const note of ring.newest()) {
        if (found.length === most) break;
        if (isMeant(note)) found.push(note);
      }
      return found;
    });
    return notes
      .toSorted((a, b) => b.endedAtMs - a.endedAtMs)
      .slice(0, most)
      .map(({ id }) => id);
  }

  /** How long the worker of this slot has been at work, in ms, without what it runs now. */
  busyMs(lane: Lane, slot: number): number {
    return this.#lanes[lane].busyMs.get(slot) ?? 0;
  }

  totals(): Record<Lane, LaneTotals> {
    return { queue: this.#lanes.queue.tally.totals(), instant: this.#lanes.instant.tally.totals() };
  }

  /** How long runs took. */
  times(): Record<Lane, Histogram> {
    return { queue: this.#lanes.queue.tally.times, instant: this.#lanes.instant.tally.times };
  }

  rates(): Record<Lane, LaneRates> {
    const nowMs = performance.now();
    const { queue, instant } = this.#lanes;
    return { queue: queue.tally.rates(nowMs), instant: instant.tally.rates(nowMs) };
  }
}

function newMemory(): LaneMemory {
  return { runs: new Ring(KEPT_RUNS), tally: new Tally(), busyMs: new Map() };
}

function takeWhile<T>(ring: Ring<T>, isMeant: (item: T) => boolean): T[] {
  const taken: T[] = [];
  for (const item of ring.newest()) {
    if (!isMeant(item)) break;
    taken.push(item);
  }
  return taken;
}

/** The last one is always among them. */
function evenly<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  // Multiplied first: a step that is no whole number, taken many times, may lead behind the last one.
  return Array.from({ length: most }, (_, at) => items[Math.ceil(((at + 1) * items.length) / most) - 1]!);
}

/** Times as others know them. They are taken as they are while it runs, which costs less. */
function inEpoch(run: RunNote): RunNote {
  return {
    ...run,
    claimedAtMs: epochMs(run.claimedAtMs),
    begunAtMs: run.begunAtMs === null ? null : epochMs(run.begunAtMs),
    endedAtMs: epochMs(run.endedAtMs),
  };
}

/** A time of `performance.now()` in ms since the epoch, to a hundredth. */
export function epochMs(ms: number): number {
  return Math.round((performance.timeOrigin + ms) * 100) / 100;
}
