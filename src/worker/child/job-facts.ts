import type { JobId } from "../../core/ids.ts";
import type { TraceContext } from "../../core/trace.ts";
import type { CurrentJob } from "./current-job.ts";

/** The current job as its function sees it. Its signal is made when somebody asks: most functions never do. */
export class JobFacts implements CurrentJob {
  readonly id: JobId;
  readonly attempt: number;
  readonly node: { readonly name: string; readonly url: string };
  /** Known when the spec has been read. */
  trace: TraceContext | undefined;
  #controller: AbortController | undefined;

  constructor({ jobId, attempt }: { jobId: JobId; attempt: number }, node: CurrentJob["node"]) {
    this.id = jobId;
    this.attempt = attempt;
    this.node = node;
  }

  get signal(): AbortSignal {
    return this.#ownController.signal;
  }

  abort(reason: Error): void {
    this.#ownController.abort(reason);
  }

  get #ownController(): AbortController {
    return (this.#controller ??= new AbortController());
  }
}
