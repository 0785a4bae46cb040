import type { CodeUnit } from "../../capture/capture.ts";
import { encodeSubmittedJob, joinSubmission, parseSpec, parseSubmission } from "../../codec/wire.ts";
import type { UnitHash } from "../../core/ids.ts";
import type { SubmittedJob } from "../../core/messages.ts";
import type { TrackedJob } from "../jobs/tracked-job.ts";

const MOST_JOBS = 500;
const MOST_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** One call of a batch. */
export interface BatchedCall {
  readonly job: SubmittedJob;
  readonly units: readonly CodeUnit[];
  readonly tracked: TrackedJob;
}

/**
 * Calls that leave in one request, as bytes from the moment they are made: a great many may wait, and as objects each
 * would take several times the memory.
 */
export class Batch {
  readonly jobs: TrackedJob[] = [];
  /** The code that the jobs need. */
  readonly units: Map<UnitHash, Uint8Array> = new Map();
  #chunks: Buffer[] = [];
  #chunk = Buffer.alloc(0);
  #used = 0;
  #bytes = 0;

  static of(calls: readonly BatchedCall[]): Batch {
    const batch = new Batch();
    for (const { job, units, tracked } of calls) batch.add(job, units, tracked);
    return batch;
  }

  /** Whether a job with a spec of so many bytes has to go into another one. */
  isFullFor(bytes: number): boolean {
    const { length } = this.jobs;
    return length >= MOST_JOBS || (length > 0 && this.#bytes + bytes > MOST_BYTES);
  }

  add(job: SubmittedJob, units: readonly CodeUnit[], tracked: TrackedJob): void {
    this.jobs.push(tracked);
    for (const { hash, bytes } of units) this.units.set(hash, bytes);
    this.#append(encodeSubmittedJob(job));
  }

  /** The request's body. `units`: those that are sent along. */
  encode(client: string, units: ReadonlyMap<UnitHash, Uint8Array>): Buffer {
    const jobs = [...this.#chunks, this.#chunk.subarray(0, this.#used)];
    return joinSubmission({ client, units, jobCount: this.jobs.length, jobs });
  }

  /** What was added, read from the bytes. */
  calls(): BatchedCall[] {
    const { jobs } = parseSubmission(this.encode("", new Map()));
    return jobs.map((job, at) => ({ job, units: this.#unitsOf(job), tracked: this.jobs[at]! }));
  }

  #unitsOf({ spec }: SubmittedJob): CodeUnit[] {
    return parseSpec(spec).units.flatMap((hash) => {
      const bytes = this.units.get(hash);
      return bytes === undefined ? [] : [{ hash, bytes }];
    });
  }

  #append(bytes: Buffer): void {
    if (this.#used + bytes.length > this.#chunk.length) {
      this.#chunks.push(this.#chunk.subarray(0, this.#used));
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes.length));
      this.#used = 0;
    }
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#bytes += bytes.length;
  }
}
