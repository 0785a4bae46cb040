import { KitchenError } from "../../core/errors.ts";
import type { JobId, NodeName, UnitHash } from "../../core/ids.ts";
import { isFinal } from "../../core/job-states.ts";
import type { ClusterTerms, NodeRecord, NodeRegistration, RegisterReply } from "../membership.ts";
import type {
  CancelReply,
  ClaimedJob,
  ClaimReply,
  ClaimRequest,
  Expiring,
  ExpiryRow,
  FinishReply,
  FinishRow,
  JobFacts,
  JobRecord,
  OutputPiece,
  OutputRow,
  PlacementRow,
  ProgressRow,
  ReleaseRow,
  RunningJob,
  Store,
  StoreEvent,
  StoreOptions,
  StreamingRow,
  SubmitBatch,
  SubmitReply,
  Swept,
} from "../port.ts";
import type { StoreDiagnosis, Waiting } from "../inspection.ts";
import { ownBytes } from "./bytes.ts";
import { MemoryCatalog } from "./catalog.ts";
import { EventQueue } from "./events.ts";
import { addWatcher, isInVain, type MemoryJob, newMemoryJob, repeated, toFacts, toRecord } from "./job.ts";
import { Leases } from "./leases.ts";
import { Losses } from "./losses.ts";
import { OutputLog } from "./output.ts";
import { fullQueue } from "./room.ts";
import { hasSpec, JobTable } from "./table.ts";
import { Units } from "./units.ts";

/** What has expired is let go of this often; nobody gets to see it in the meantime. */
const TIDY_EVERY_MS = 1000;
/** No tick drops more than this many jobs, so that none takes long. */
const DROP_AT_ONCE = 10_000;
const UNPLACED_AT_ONCE = 500;
const BLOCKED_AT_ONCE = 100;
const OVERDUE_AT_ONCE = 500;

/**
 * Opens the embedded store: everything in this process's memory, for one node. It ends with the process.
 * `now` gives ms since the epoch and should never go back.
 */
export function openMemoryStore(options: StoreOptions & { now?: () => number }): Store {
  return new MemoryStore(options);
}

class MemoryStore extends MemoryCatalog implements Store {
  readonly kind = "embedded";
  readonly description = "the embedded store, in this process's memory";
  readonly warnings: readonly string[] = [];
  readonly #now: () => number;
  readonly #outputLimitBytes: number;
  readonly #queueLimit: number;
  readonly #events = new EventQueue();
  readonly #leases = new Leases();
  readonly #jobs: JobTable;
  readonly #units: Units;
  readonly #losses: Losses;
  readonly #tidying: NodeJS.Timeout;
  #sequence = 0;
  #isClosed = false;

  constructor(options: StoreOptions & { now?: () => number }) {
    super();
    this.#now = options.now ?? monotonicNow;
    this.#outputLimitBytes = options.outputLimitBytes;
    this.#queueLimit = options.queueLimit;
    this.#jobs = new JobTable(options, this.#leases, this.#events);
    this.#losses = new Losses(this.#jobs, this.#leases);
    this.#units = new Units(options.unitTtlMs);
    this.#tidying = setInterval(() => this.#tidy(), TIDY_EVERY_MS).unref();
  }

  async submit(batch: SubmitBatch): Promise<SubmitReply> {
    const nowMs = this.open();
    // Whoever adds also takes away, so that expired jobs never pile up faster than the timer drops them.
    this.#jobs.dropExpired(nowMs, 2 * batch.jobs.length);
    const known = new Map<JobId, MemoryJob>();
    const fresh = new Map<JobId, MemoryJob>();
    const watchers = [batch.watcher];
    let sequence = this.#sequence;
    const rows: ("queued" | "known")[] = [];
    for (const row of batch.jobs) {
      const before = this.#jobs.get(row.id, nowMs);
      const job =
        before !== undefined && isInVain(before) ? fresh.get(row.id) : (before ?? fresh.get(row.id));
      if (job === undefined) {
        fresh.set(row.id, newMemoryJob(row, { sequence: (sequence += 1), watchers, nowMs }));
        rows.push("queued");
      } else {
        if (!hasSpec(job, row)) return { type: "conflict", id: row.id };
        known.set(job.id, job);
        rows.push("known");
      }
    }
    const missing = batch.needs.filter(
      (hash) => !batch.units.has(hash) && this.#units.use(hash, nowMs) === undefined,
    );
    if (missing.length > 0) return { type: "missing", units: missing };
    const waiting = (queue: string): number => this.#jobs.waiting(queue);
    const limit = this.#queueLimit;
    const full = fullQueue(
      batch.jobs.filter(({ id }) => fresh.has(id)),
      { limit, waiting },
    );
    if (full !== undefined) return { type: "full", queue: full, waiting: waiting(full), limit };

    for (const [hash, bytes] of batch.units) this.#units.add(hash, bytes, nowMs);
    for (const job of known.values()) if (!isFinal(job.state)) addWatcher(job, batch.watcher);
    for (const { id, refusal } of batch.jobs) {
      const job = fresh.get(id);
      // Of rows with the same id the first one counts.
      if (job === undefined || !fresh.delete(id)) continue;
      this.#jobs.add(job, { nowMs, saidBy: batch.watcher, refusal });
    }
    this.#sequence = sequence;
    return { type: "queued", rows };
  }

  async claim({ node, queues, count, takesData }: ClaimRequest): Promise<ClaimReply> {
    const nowMs = this.open();
    const running = this.#leases.running(node, nowMs);
    if (running === undefined) return { type: "lapsed" };
    const viewer = { node, takesData };
    const jobs: ClaimedJob[] = [];
    for (const queue of [...queues.map((shared) => `${shared}|${node}`), ...queues])
      for (const job of this.#jobs.take(queue, count - jobs.length, { viewer, nowMs })) {
        this.#jobs.start(job, node, nowMs);
        running.add(job);
        const { id, attempt, deaths, throws, pastDeaths, spec = new Uint8Array() } = job;
        const past = pastDeaths.length === 0 ? {} : { pastDeaths };
        jobs.push({ id, attempt, deaths, throws, queue: job.queue, spec, ...past });
      }
    const nextAtMs = jobs.length < count ? this.#jobs.nextVisibleAtMs(queues, viewer, nowMs) : undefined;
    return { type: "claimed", jobs, nextVisibleMs: nextAtMs === undefined ? undefined : nextAtMs - nowMs };
  }

  async finish(node: NodeName, rows: readonly FinishRow[]): Promise<FinishReply[]> {
    const nowMs = this.open();
    const running = this.#leases.running(node, nowMs);
    return rows.map((row) => {
      const job = this.#jobs.get(row.id, nowMs);
      if (job === undefined) return "fenced";
      const isHeld = job.state === "running" && job.attempt === row.attempt && running?.has(job) === true;
      return isHeld ? this.#commit(job, row, nowMs) : repeated(job, node, row);
    });
  }

  #commit(job: MemoryJob, row: FinishRow, nowMs: number): FinishReply {
    const saidBy = job.node!;
    this.#losses.settle(job);
    if (job.cancelled !== undefined) {
      this.#jobs.end(job, "cancelled", job.cancelled, { nowMs, saidBy });
      return { cancelled: job.cancelled };
    }
    if (row.next !== "queued") {
      this.#jobs.end(job, row.next, row.outcome, { nowMs, saidBy });
      return "committed";
    }
    job.deaths = row.deaths;
    job.throws = row.throws;
    if (row.death !== undefined) job.pastDeaths = [...job.pastDeaths, row.death];
    job.givenBack = { node: saidBy, attempt: row.attempt };
    const delayMs = Math.ceil(row.delayMs ?? 0);
    this.#jobs.giveBack(job, { nowMs, saidBy, delayMs });
    return "committed";
  }

  async cancel(ids: readonly JobId[], outcome: Uint8Array): Promise<CancelReply[]> {
    const nowMs = this.open();
    return ids.map((id) => {
      const job = this.#jobs.get(id, nowMs);
      if (job === undefined) return "unknown";
      if (isFinal(job.state)) return "final";
      if (job.state === "queued") {
        this.#jobs.end(job, "cancelled", outcome, { nowMs });
        return "cancelled";
      }
      const wasAsked = job.cancelled !== undefined;
      job.cancelled ??= ownBytes(outcome);
      this.#events.tell(job.node!, { type: "cancel", id, attempt: job.attempt });
      return wasAsked ? "stopping" : "cancelling";
    });
  }

  async appendOutput(node: NodeName, rows: readonly OutputRow[]): Promise<void> {
    const nowMs = this.open();
    for (const { id, piece } of rows) {
      const job = this.#jobs.get(id, nowMs);
      if (job?.state !== "running" || job.node !== node || job.attempt !== piece.attempt) continue;
      job.output ??= new OutputLog(this.#outputLimitBytes);
      if (!job.output.append(piece)) continue;
      for (const watcher of job.watchers)
        if (watcher !== node) this.#events.tell(watcher, { type: "output", id, piece });
    }
  }

  async markStreaming(node: NodeName, rows: readonly StreamingRow[]): Promise<void> {
    const nowMs = this.open();
    for (const { id, attempt } of rows) {
      const job = this.#jobs.get(id, nowMs);
      if (job?.state !== "running" || job.node !== node || job.attempt !== attempt) continue;
      job.streams = attempt;
      for (const watcher of job.watchers)
        if (watcher !== node) this.#events.tell(watcher, { type: "streaming", id, attempt });
    }
  }

  async reportProgress(node: NodeName, rows: readonly ProgressRow[]): Promise<void> {
    const nowMs = this.open();
    for (const { id, attempt, progress } of rows) {
      const job = this.#jobs.get(id, nowMs);
      if (job?.state !== "running" || job.node !== node || job.attempt !== attempt) continue;
      job.progress = progress;
      for (const watcher of job.watchers)
        if (watcher !== node) this.#events.tell(watcher, { type: "progress", id, attempt, progress });
    }
  }

  async readOutput(id: JobId, from: number): Promise<OutputPiece[]> {
    return this.#jobs.get(id, this.open())?.output?.from(from) ?? [];
  }

  async read(ids: readonly JobId[]): Promise<(JobRecord | undefined)[]> {
    const nowMs = this.open();
    return ids.map((id) => {
      const job = this.#jobs.get(id, nowMs);
      return job === undefined ? undefined : toRecord(job);
    });
  }

  async watch(ids: readonly JobId[], node: NodeName): Promise<(JobRecord | undefined)[]> {
    const nowMs = this.open();
    for (const id of ids) {
      const job = this.#jobs.get(id, nowMs);
      if (job !== undefined && !isFinal(job.state)) addWatcher(job, node);
    }
    return this.read(ids);
  }

  async activeJobs(): Promise<JobId[]> {
    this.open();
    return Array.from(this.#jobs.active(), (job) => job.id);
  }

  async someActive(most: number): Promise<JobId[]> {
    this.open();
    return Array.from(this.#jobs.someActive(most), (job) => job.id);
  }

  async look(ids: readonly JobId[]): Promise<(JobFacts | undefined)[]> {
    const nowMs = this.open();
    return ids.map((id) => {
      const job = this.#jobs.get(id, nowMs);
      return job === undefined ? undefined : toFacts(job);
    });
  }

  async runningJobs(node: NodeName): Promise<RunningJob[]> {
    this.open();
    return this.#leases
      .jobsOf(node)
      .filter((job) => !this.#losses.isHanded(job))
      .map(({ id, attempt, deaths, throws }) => ({ id, attempt, deaths, throws }));
  }

  async units(hashes: readonly UnitHash[]): Promise<(Uint8Array | undefined)[]> {
    const nowMs = this.open();
    return hashes.map((hash) => this.#units.use(hash, nowMs));
  }

  async spec(id: JobId): Promise<Uint8Array | undefined> {
    return this.#jobs.get(id, this.open())?.spec;
  }

  async unitSizes(hashes: readonly UnitHash[]): Promise<(number | undefined)[]> {
    const nowMs = this.open();
    return hashes.map((hash) => this.#units.size(hash, nowMs));
  }

  async register(node: NodeRegistration): Promise<RegisterReply> {
    const nowMs = this.open();
    const theirs = this.#leases.termsOfOthers(node.name, nowMs);
    if (theirs !== undefined && !isSameTerms(theirs, node.terms)) {
      const isCertain = !this.#leases.isSilent(nowMs);
      this.#leases.hear(node, nowMs);
      return { type: "refused", theirs, isCertain };
    }
    const holder = this.#leases.holder(node, nowMs);
    if (holder === "other") return { type: "taken" };
    if (holder === undefined) this.#losses.lose(node.name, nowMs);
    this.#leases.hear(node, nowMs);
    this.#leases.grant(node, nowMs);
    return { type: "registered" };
  }

  async heartbeat(node: NodeRegistration): Promise<"renewed" | "lapsed"> {
    const nowMs = this.open();
    const holder = this.#leases.holder(node, nowMs);
    if (holder === "other") return "lapsed";
    if (holder === undefined) this.#losses.lose(node.name, nowMs);
    this.#leases.hear(node, nowMs);
    if (holder === undefined) return "lapsed";
    this.#leases.grant(node, nowMs);
    return "renewed";
  }

  async leave(node: NodeName): Promise<void> {
    this.#losses.leave(node, this.open());
  }

  async nodes(): Promise<NodeRecord[]> {
    return this.#leases.records(this.open());
  }

  async now(): Promise<number> {
    return this.open();
  }

  readonly trips = 0;

  async waiting(): Promise<Waiting> {
    this.open();
    return this.#jobs.overview();
  }

  async diagnose(): Promise<StoreDiagnosis> {
    this.open();
    return { kind: "embedded", servers: [] };
  }

  async place(rows: readonly PlacementRow[]): Promise<void> {
    const nowMs = this.open();
    for (const row of rows) this.#jobs.place(row, nowMs);
  }

  async release(rows: readonly ReleaseRow[]): Promise<void> {
    const nowMs = this.open();
    for (const row of rows) this.#jobs.release(row, nowMs);
  }

  async sweep(node: NodeName, maxDeaths: number): Promise<Swept> {
    const nowMs = this.open();
    const exhausted = this.#losses.sweep(node, maxDeaths, nowMs);
    const ready = this.#jobs.ready(BLOCKED_AT_ONCE, nowMs);
    return { exhausted, unplaced: this.#jobs.unplaced(UNPLACED_AT_ONCE), ready };
  }

  async expire(rows: readonly ExpiryRow[]): Promise<Expiring> {
    const nowMs = this.open();
    for (const { id, outcome } of rows) {
      const job = this.#jobs.overdue(id, nowMs);
      if (job !== undefined) this.#jobs.end(job, "failed", outcome, { nowMs });
    }
    return this.#jobs.expiring(OVERDUE_AT_ONCE, nowMs);
  }

  async subscribe(node: NodeName, onEvent: (event: StoreEvent) => void): Promise<void> {
    this.open();
    this.#events.subscribe(node, onEvent);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#tidying);
    this.#events.close();
  }

  protected open(): number {
    if (this.#isClosed) throw new KitchenError("KS_UNAVAILABLE", "The embedded store is closed");
    return this.#now();
  }

  #tidy(): void {
    const nowMs = this.#now();
    this.#jobs.dropExpired(nowMs, DROP_AT_ONCE);
    this.#jobs.dropEmptyQueues();
    this.#units.removeExpired(nowMs);
  }
}

function isSameTerms(a: ClusterTerms, b: ClusterTerms): boolean {
  return a.token === b.token && a.protocol === b.protocol;
}

/** Steps of the machine's clock must not end leases. */
function monotonicNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
