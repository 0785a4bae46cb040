import type { CodeUnit } from "../../capture/capture.ts";
import { Fields } from "../../codec/pack.ts";
import { MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { type JobId, parseJobId, parseUnitHash, type UnitHash } from "../../core/ids.ts";
import type { SubmittedJob } from "../../core/messages.ts";
import { whyUnserved } from "../../core/unserved.ts";
import { Batch, type BatchedCall } from "./batch.ts";
import { errorOf } from "../errors.ts";
import type { EventStream } from "../connection/event-stream.ts";
import { checked, type Http, isUnavailable } from "../connection/http.ts";
import { isOfOneJob, Refusals } from "./refusals.ts";
import type { TrackedJob } from "../jobs/tracked-job.ts";

const TRIES = 3;
const RETRY_MS = 200;

export interface OutboxOptions {
  readonly http: Http;
  readonly client: string;
  /** A node that says nothing for so long is given up. */
  readonly silenceMs: number;
  /** Gives the event stream when it is open: while it is, no result is missed. */
  readonly connected: () => Promise<EventStream>;
  /** The node has jobs of which this stream was to tell. */
  readonly onTaken: (stream: EventStream) => void;
  readonly onFailed: (job: TrackedJob, error: Error) => void;
}

/** Calls on their way out: all that were made in one turn of the event loop leave together. */
export class Outbox {
  readonly #options: OutboxOptions;
  /** Units that the node has had from this client. */
  readonly #sent = new Set<string>();
  /** Queues of which it was said that no node runs them. */
  readonly #unserved = new Set<string>();
  #batches: Batch[] = [];
  /** Requests leave one after the other, so that jobs keep their order. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(job: SubmittedJob, units: readonly CodeUnit[], tracked: TrackedJob): void {
    if (this.#batches.length === 0) setImmediate(() => this.#flush());
    let batch = this.#batches.at(-1);
    if (batch === undefined || batch.isFullFor(job.spec.length)) {
      batch = new Batch();
      this.#batches.push(batch);
    }
    batch.add(job, units, tracked);
  }

  /** Resolves when all that was added has been sent, or has failed. */
  async drained(): Promise<void> {
    this.#flush();
    await this.#last;
  }

  #flush(): void {
    const batches = this.#batches;
    this.#batches = [];
    for (const batch of batches) this.#last = this.#last.then(() => this.#send(batch));
  }

  async #send(batch: Batch): Promise<void> {
    try {
      await this.#deliver(batch);
    } catch (error) {
      this.#fail(batch.jobs, error);
    }
  }

  /** @throws what concerns all jobs of the batch */
  async #deliver(batch: Batch): Promise<void> {
    try {
      await this.#submit(batch);
    } catch (error) {
      if (batch.jobs.length === 1 || !isOfOneJob(error)) throw error;
      await this.#deliverApart(batch.calls());
    }
  }

  /**
   * A node takes all jobs of a request or none. So halves are sent, and halves of what is refused of these, in order, until
   * each job is taken or was refused alone: then it has the error that is its own.
   */
  async #deliverApart(calls: readonly BatchedCall[]): Promise<void> {
    const refusals = new Refusals();
    const parts = halvesOf(calls);
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const open = part.filter(({ job, tracked }) => {
        const refusal = refusals.of(job);
        if (refusal !== undefined) this.#fail([tracked], refusal);
        return refusal === undefined;
      });
      const [first] = open;
      if (first === undefined) continue;
      try {
        await this.#submit(Batch.of(open));
      } catch (error) {
        if (!isOfOneJob(error)) return this.#fail(trackedIn([open, ...parts]), error);
        if (open.length > 1) parts.unshift(...halvesOf(open));
        else {
          refusals.add(first.job, error);
          this.#fail([first.tracked], error);
        }
      }
    }
  }

  #fail(jobs: readonly TrackedJob[], error: unknown): void {
    const reason = errorOf(error);
    for (const job of jobs) this.#options.onFailed(job, reason);
  }

  async #submit(batch: Batch): Promise<void> {
    const { units } = batch;
    const stream = await this.#options.connected();
    const fresh = new Map([...units].filter(([hash]) => !this.#sent.has(hash)));
    let answer = await this.#post(batch, fresh);
    const { missing } = answer;
    if (missing.length > 0) {
      // The node has forgotten them, or another batch that carries them is still on its way. Of what came along it kept nothing.
      const wanted = new Map(fresh);
      for (const hash of missing) {
        const bytes = units.get(hash);
        if (bytes !== undefined) wanted.set(hash, bytes);
      }
      answer = await this.#post(batch, wanted);
      if (answer.missing.length > 0)
        throw new KitchenError(
          "KS_INTERNAL",
          `The node still misses code that it was sent: ${answer.missing.join(", ")}`,
        );
    }
    for (const hash of units.keys()) this.#sent.add(hash);
    for (const job of batch.jobs) job.markSubmitted();
    this.#options.onTaken(stream);
    for (const [queue, id] of answer.unserved) this.#tellUnserved(queue, batch, id);
  }

  /** Once, with the output of the first such job: it is not wrong to wait for a node that is yet to come. */
  #tellUnserved(queue: string, batch: Batch, id: JobId): void {
    if (this.#unserved.has(queue)) return;
    this.#unserved.add(queue);
    batch.jobs.find((job) => job.id === id)?.tell(`Jobs wait: ${whyUnserved(queue)}`);
  }

  /** Ids make a repeated submit harmless, so a lost answer is tried again. */
  async #post(batch: Batch, units: ReadonlyMap<UnitHash, Uint8Array>): Promise<SubmitAnswer> {
    const { http, client, silenceMs } = this.#options;
    const body = batch.encode(client, units);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const request = { method: "POST", path: "/v1/jobs", type: MEDIA_TYPE, body, silenceMs } as const;
        const response = await http.fetch(request);
        return answerOf(
          response.status === 409 && response.type === MEDIA_TYPE ? response : checked(response, http.url),
        );
      } catch (error) {
        if (!isUnavailable(error) || attempt >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
      }
    }
  }
}

function halvesOf(calls: readonly BatchedCall[]): (readonly BatchedCall[])[] {
  const middle = calls.length >> 1;
  return [calls.slice(0, middle), calls.slice(middle)];
}

function trackedIn(parts: readonly (readonly BatchedCall[])[]): TrackedJob[] {
  return parts.flat().map(({ tracked }) => tracked);
}

/** What a node says to a submission. */
interface SubmitAnswer {
  /** Code that it misses: if there is any, nothing was queued. */
  readonly missing: readonly UnitHash[];
  /** Queues that no node runs now, each with the first of the jobs there. */
  readonly unserved: readonly (readonly [queue: string, JobId])[];
}

/** @throws KitchenError `KS_BAD_REQUEST` for what is no answer to a submission */
export function answerOf({ body }: { readonly body: Uint8Array }): SubmitAnswer {
  const answer = Fields.unpack(body, "answer to a submission", 3);
  return {
    missing: answer.list(1).map(parseUnitHash),
    unserved: answer.list(2).map((value) => {
      const row = Fields.of(value, "queue that no node runs", 2);
      return [row.text(0), parseJobId(row.text(1))];
    }),
  };
}
