import { type JobId, parseJobId } from "../../core/ids.ts";
import type { Connection } from "../connection/connection.ts";
import type { DataAccess } from "../remote-data/data-access.ts";
import { type PlacementExplanation, parseExplanation } from "./explanation.ts";
import type { JobStatus } from "./job.ts";
import { parseStatus } from "../listings.ts";
import { type Output, type OutputOption, outputOf } from "../output/output.ts";
import { followOutput } from "../output/output-follower.ts";
import { Reader } from "../reader.ts";
import type { TrackedJob } from "./tracked-job.ts";

export interface JobAccessOptions {
  readonly connection: Connection;
  /** How RemoteData among results reaches its data. */
  readonly access: DataAccess;
  /** Where the output goes of jobs that were made elsewhere. */
  readonly output: OutputOption;
}

/** What jobs need of the client that made them: one for all of them. */
export class JobAccess {
  readonly access: DataAccess;
  readonly #options: JobAccessOptions;

  constructor(options: JobAccessOptions) {
    this.access = options.access;
    this.#options = options;
  }

  /** Waits for a job that was made elsewhere. */
  watch(id: JobId, label: string): TrackedJob {
    const { connection, output } = this.#options;
    return connection.watch(id, outputOf(output, { id, label }));
  }

  async cancel(id: JobId, tracked: TrackedJob | undefined, reason: string): Promise<void> {
    if (tracked === undefined) await this.#options.connection.cancelById(id, reason);
    else await tracked.line.cancel(tracked, reason);
  }

  async status(id: JobId): Promise<JobStatus> {
    return parseStatus(await this.#get(`/v1/jobs/${id}`));
  }

  async explain(id: JobId): Promise<PlacementExplanation> {
    return parseExplanation(await this.#get(`/v1/jobs/${id}/placement`));
  }

  /** Gives the id of the new job. */
  async retry(id: JobId): Promise<JobId> {
    const { connection } = this.#options;
    const answer = await connection.http.postJson(`/v1/jobs/${id}/retry`, {});
    const again = parseJobId(new Reader(answer, "answer").text("id"));
    connection.submitted(again);
    return again;
  }

  output(id: JobId, submitted: Promise<unknown> = Promise.resolve()): AsyncIterable<Output> {
    return followOutput(this.#options.connection.http, id, submitted);
  }

  #get(path: string): Promise<unknown> {
    return this.#options.connection.http.fetchJson({ method: "GET", path });
  }
}
