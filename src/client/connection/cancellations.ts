import type { JobId } from "../../core/ids.ts";
import type { Http } from "./http.ts";

/** As many as a request may name. */
const MOST_JOBS = 1_000;

/** Cancels that were asked for in one turn of the event loop leave together, those with one reason in one request. */
export class Cancellations {
  readonly #http: Http;
  readonly #silenceMs: number;
  readonly #waiting = new Map<string, { readonly ids: JobId[]; readonly sent: Promise<void> }>();

  /** `silenceMs`: a node that says nothing for so long is given up. */
  constructor(http: Http, silenceMs: number) {
    this.#http = http;
    this.#silenceMs = silenceMs;
  }

  /** Resolves when the node knows. @throws KitchenError `KS_UNAVAILABLE` */
  add(id: JobId, reason: string): Promise<void> {
    const waiting = this.#waiting.get(reason);
    if (waiting !== undefined && waiting.ids.length < MOST_JOBS) {
      waiting.ids.push(id);
      return waiting.sent;
    }
    const ids = [id];
    const sent = this.#send(ids, reason);
    this.#waiting.set(reason, { ids, sent });
    return sent;
  }

  async #send(jobs: readonly JobId[], reason: string): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#waiting.get(reason)?.ids === jobs) this.#waiting.delete(reason);
    await this.#http.postJson("/v1/cancel", { jobs, reason }, { silenceMs: this.#silenceMs });
  }
}
