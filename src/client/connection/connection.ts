import { randomUUID } from "node:crypto";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { ClientEvent, SubmittedJob } from "../../core/messages.ts";
import type { CodeUnit } from "../../capture/capture.ts";
import { errorOf } from "../errors.ts";
import { Cancellations } from "./cancellations.ts";
import { EventStream } from "./event-stream.ts";
import { closedError, type Http, isUnavailable } from "./http.ts";
import { type Interruptible, interrupts } from "./interrupts.ts";
import { ItemReader } from "../jobs/item-reader.ts";
import { Outbox } from "../calls/outbox.ts";
import type { JobOutput } from "../output/output.ts";
import { PATIENCE, type Patience } from "./patience.ts";
import { type Line, TrackedJob } from "../jobs/tracked-job.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * What clients that were derived from each other share: one event stream, one outbox, the jobs they wait for. The stream
 * opens with the first call; it keeps the process alive only while a job is waited for.
 */
export class Connection implements Line, Interruptible {
  readonly http: Http;
  readonly #isInterruptible: boolean;
  readonly #patience: Patience;
  readonly #closing = new AbortController();
  readonly #client: string = randomUUID();
  readonly #outbox: Outbox;
  readonly #cancellations: Cancellations;
  readonly #jobs = new Map<JobId, TrackedJob>();
  /** Those of {@link #jobs} whose end nobody waits for: their items are read, or not. */
  readonly #unawaited = new Set<TrackedJob>();
  /** Jobs that this client submitted and does not wait for, but may: those that it retried, or lost sight of. */
  readonly #submitted = new Set<JobId>();
  readonly #readers = new Set<ItemReader>();
  /** Resolves when the node has been told of all jobs that were let go. */
  #unwatched: Promise<void> = Promise.resolve();
  #stream: Promise<EventStream> | undefined;
  #isPaused = false;
  /** Whether the stream was told to keep the process alive. */
  #isKeptAlive = false;

  /** `isInterruptible`: Ctrl-C cancels what it submitted and waits for. */
  constructor(http: Http, isInterruptible: boolean, patience: Patience = PATIENCE) {
    this.http = http;
    this.#isInterruptible = isInterruptible;
    this.#patience = patience;
    const { silenceMs } = patience;
    this.#cancellations = new Cancellations(http, silenceMs);
    this.#outbox = new Outbox({
      http,
      client: this.#client,
      silenceMs,
      connected: () => this.#connected(),
      onTaken: (stream) => this.#taken(stream),
      onFailed: (job, error) => this.#fail(job, error),
    });
  }

  /** The job, if this client waits for it. */
  tracked(id: JobId): TrackedJob | undefined {
    return this.#jobs.get(id);
  }

  /** Sends a call off with the others of this turn. */
  submit(job: SubmittedJob, units: readonly CodeUnit[], output: JobOutput): TrackedJob {
    this.#checkOpen();
    const tracked = this.#track(new TrackedJob(job.id, output, this));
    this.#outbox.add(job, units, tracked);
    return tracked;
  }

  /** Waits for a job that was submitted before, here or elsewhere; its output comes from its beginning. */
  watch(id: JobId, output: JobOutput): TrackedJob {
    this.#checkOpen();
    const known = this.#jobs.get(id);
    if (known !== undefined) return known;
    const tracked = new TrackedJob(id, output, this);
    tracked.isOwn = this.#submitted.delete(id);
    this.#track(tracked);
    tracked.markSubmitted();
    void this.#connected()
      .then(() => this.#askFor([tracked]))
      .catch((error: unknown) => this.#fail(tracked, errorOf(error)));
    return tracked;
  }

  /** This client had the node submit this job: it is its own, should it wait for it. */
  submitted(id: JobId): void {
    this.#submitted.add(id);
  }

  reader(job: TrackedJob, attempt: number): ItemReader {
    const { silenceMs } = this.#patience;
    const reader = new ItemReader({ http: this.http, client: this.#client, id: job.id, attempt, silenceMs });
    this.#readers.add(reader);
    void job.ended.then(() => this.#readers.delete(reader));
    return reader;
  }

  hold(job: TrackedJob, isWanted: boolean): void {
    if (isWanted || !this.#jobs.has(job.id)) this.#unawaited.delete(job);
    else this.#unawaited.add(job);
    this.#keepAlive();
  }

  /** Reads nothing more of all of its jobs, or goes on: for who follows one job and is slower than it. */
  pause(isWanted: boolean): void {
    if (this.#isPaused === isWanted) return;
    this.#isPaused = isWanted;
    void this.#stream?.then((stream) => stream.pause(this.#isPaused)).catch(() => {});
  }

  async release(job: TrackedJob): Promise<void> {
    await job.submitted;
    if (job.isReleased) return await this.#unwatched;
    if (job.end?.type === "failed") throw job.end.error;
    if (this.#jobs.get(job.id) !== job) return;
    const message = `The job ${job.id} was detached while it was waited for: it goes on (await c.result(id) for its result)`;
    job.isReleased = true;
    this.#fail(job, new KitchenError("KS_USAGE", message));
    this.#unwatched = Promise.all([this.#unwatched, this.#unwatch(job.id)]).then(() => {});
    await this.#unwatched;
  }

  async cancel(job: TrackedJob, reason: string): Promise<void> {
    await job.submitted;
    await this.cancelById(job.id, reason);
  }

  async cancelById(id: JobId, reason: string): Promise<void> {
    await this.#cancellations.add(id, reason);
  }

  get waiting(): number {
    return this.#jobs.size;
  }

  get own(): readonly TrackedJob[] {
    return [...this.#jobs.values()].filter(({ isOwn }) => isOwn);
  }

  /** Lets go of the node. Whatever is still waited for is settled with an error. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    // Calls that were made before are made.
    await this.#outbox.drained();
    // A stream that is being opened need not come any more.
    this.#closing.abort(closedError());
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    for (const job of this.#jobs.values()) job.fail(closedError());
    this.#jobs.clear();
    interrupts.end(this);
    const stream = this.#stream;
    this.#stream = undefined;
    (await stream?.catch(() => undefined))?.close();
    this.http.close();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedError();
  }

  #track(job: TrackedJob): TrackedJob {
    this.#jobs.set(job.id, job);
    this.#keepAlive();
    if (this.#isInterruptible && job.isOwn) interrupts.begin(this);
    return job;
  }

  #forget(job: TrackedJob): void {
    this.#jobs.delete(job.id);
    this.#unawaited.delete(job);
    this.#keepAlive();
    if (this.#jobs.size === 0) interrupts.end(this);
  }

  get #isAwaiting(): boolean {
    return this.#jobs.size > this.#unawaited.size;
  }

  #fail(job: TrackedJob, error: Error): void {
    this.#forget(job);
    job.fail(error);
  }

  /** Called whenever what is waited for has changed: of most jobs it makes no difference. */
  #keepAlive(): void {
    if (this.#isKeptAlive === this.#isAwaiting) return;
    this.#isKeptAlive = this.#isAwaiting;
    void this.#stream?.then((stream) => stream.keepAlive(this.#isAwaiting)).catch(() => {});
  }

  /**
   * Jobs were taken of which this stream was to tell. If it broke before they were known to be, nobody asked for them when
   * the next one opened.
   */
  #taken(stream: EventStream): void {
    if (stream.isOver) void this.#catchUp(new Error("it broke while a call was made"));
  }

  #connected(): Promise<EventStream> {
    return (this.#stream ??= this.#open());
  }

  async #open(): Promise<EventStream> {
    try {
      const stream = await EventStream.open({
        http: this.http,
        client: this.#client,
        silenceMs: this.#patience.silenceMs,
        signal: this.#closing.signal,
        onEvent: (event) => this.#receive(event),
        onLost: (error) => void this.#reconnect(error),
      });
      stream.keepAlive(this.#isAwaiting);
      if (this.#isPaused) stream.pause(true);
      return stream;
    } catch (error) {
      // The next call tries again.
      this.#stream = undefined;
      throw error;
    }
  }

  #receive(event: ClientEvent): void {
    if (event.type === "alive") return;
    const job = this.#jobs.get(event.jobId);
    if (job === undefined) return;
    switch (event.type) {
      case "output":
        job.takeOutput(event);
        break;
      case "progress":
        job.takeProgress(event.attempt, event.progress);
        break;
      case "streaming":
        if (job.stream(event.attempt) !== undefined) this.#loseItems(job);
        break;
      case "finished":
        this.#forget(job);
        job.finish(event.state, event.outcome);
        break;
      case "unknown":
        this.#fail(
          job,
          new KitchenError("KS_NO_SUCH_JOB", `There is no job ${job.id}, or its result has expired`),
        );
        break;
    }
  }

  /** The job was begun anew elsewhere; its reader has had items of the first run already. */
  #loseItems(job: TrackedJob): void {
    const message = `The items of the job ${job.id} are gone: the node that ran it was lost (call it again)`;
    this.#fail(job, new KitchenError("KS_WORKER_LOST", message));
    // What becomes of it is nobody's concern any more.
    this.cancel(job, "its items are lost").catch(() => {});
  }

  async #reconnect(reason: Error): Promise<void> {
    this.#stream = undefined;
    await this.#catchUp(reason);
  }

  /** Has a node tell of all jobs that it has; gives them up when none can be reached, for this reason. */
  async #catchUp(reason: Error): Promise<void> {
    const deadlineMs = Date.now() + this.#patience.reconnectMs;
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#isClosed && this.#jobs.size > 0) {
      try {
        await this.#connected();
        const submitted = [...this.#jobs.values()].filter((job) => job.isSubmitted);
        if (submitted.length > 0) await this.#askFor(submitted);
        return;
      } catch (error) {
        if (Date.now() > deadlineMs || !isUnavailable(error)) return this.#giveUp(reason, error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  #giveUp(reason: Error, last: unknown): void {
    const message = `Lost the connection to ${this.http.url.href} (${reason.message}) and could not get it back: ${messageOf(last)}. The jobs go on: await c.result(id) when the node is back`;
    for (const job of this.#jobs.values()) {
      if (job.isOwn) this.#submitted.add(job.id);
      this.#fail(job, new KitchenError("KS_CONNECTION_LOST", message, { cause: last }));
    }
  }

  async #unwatch(id: JobId): Promise<void> {
    // What a node sends on that did not hear of it is dropped here.
    await this.#post("/v1/unwatch", { client: this.#client, jobs: [id] }).catch(() => {});
  }

  /** Has the node send what these jobs said and came to since. */
  async #askFor(jobs: readonly TrackedJob[]): Promise<void> {
    // One of them may have been let go a moment ago.
    await this.#unwatched;
    const rows = jobs.map(({ id, received }) => ({ id, from: received }));
    await this.#post("/v1/watch", { client: this.#client, jobs: rows });
  }

  /** Does not queue behind requests of others, which may take for ever. */
  #post(path: string, body: object): Promise<unknown> {
    return this.http.postJson(path, body, { isLong: true, silenceMs: this.#patience.silenceMs });
  }
}
