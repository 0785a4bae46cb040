import type { CodeUnit } from "../capture/capture.ts";
import { Fields } from "../codec/pack.ts";
import { encodeSubmission, MEDIA_TYPE } from "../codec/wire.ts";
import { KitchenError } from "../core/errors.ts";
import { parseUnitHash, type UnitHash } from "../core/ids.ts";
import type { SubmittedJob } from "../core/messages.ts";
import { checked, type Http } from "./http.ts";
import type { TrackedJob } from "./tracked-job.ts";

/** One request carries at most this many jobs and about this many bytes. */
const MOST_JOBS = 500;
const MOST_BYTES = 4 * 1024 * 1024;
const TRIES = 3;
const RETRY_MS = 200;

export interface Outgoing {
  readonly job: SubmittedJob;
  readonly units: readonly CodeUnit[];
  readonly tracked: TrackedJob;
}

export interface OutboxOptions {
  readonly http: Http;
  readonly client: string;
  /** Resolves when the event stream is open: no result can be missed from then on. */
  readonly connected: () => Promise<unknown>;
  readonly onFailed: (job: TrackedJob, error: Error) => void;
}

/** Calls on their way out: all that were made in one turn of the event loop leave together. */
export class Outbox {
  readonly #options: OutboxOptions;
  /** Units that the node has had from this client. */
  readonly #sent = new Set<string>();
  #waiting: Outgoing[] = [];
  #isScheduled = false;
  /** Requests leave one after the other, so that jobs keep their order. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  /** Resolves when all that was added has been sent, or has failed. */
  async drained(): Promise<void> {
    this.#flush();
    await this.#last;
  }

  #flush(): void {
    this.#isScheduled = false;
    const all = this.#waiting;
    this.#waiting = [];
    for (const batch of batchesOf(all)) this.#last = this.#last.then(() => this.#send(batch));
  }

  async #send(batch: readonly Outgoing[]): Promise<void> {
    try {
      await this.#options.connected();
      await this.#submit(batch);
      for (const { tracked } of batch) tracked.markSubmitted();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      for (const { tracked } of batch) this.#options.onFailed(tracked, reason);
    }
  }

  async #submit(batch: readonly Outgoing[]): Promise<void> {
    const units = unitsOf(batch);
    const fresh = new Map([...units].filter(([hash]) => !this.#sent.has(hash)));
    const missing = await this.#post(batch, fresh);
    if (missing.length > 0) {
      // The node has forgotten them, or another batch that carries them is still on its way.
      const wanted = new Map(
        missing.flatMap((hash) => (units.has(hash) ? [[hash, units.get(hash)!] as const] : [])),
      );
      const still = await this.#post(batch, wanted);
      if (still.length > 0)
        throw new KitchenError(
          "KS_INTERNAL",
          `The node still misses code that it was sent: ${still.join(", ")}`,
        );
    }
    for (const hash of units.keys()) this.#sent.add(hash);
  }

  /** Gives the hashes that the node misses. Ids make a repeated submit harmless, so a lost answer is tried again. */
  async #post(
    batch: readonly Outgoing[],
    units: ReadonlyMap<UnitHash, Uint8Array>,
  ): Promise<readonly UnitHash[]> {
    const { http, client } = this.#options;
    const body = encodeSubmission({ client, units, jobs: batch.map(({ job }) => job) });
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await http.fetch({ method: "POST", path: "/v1/jobs", type: MEDIA_TYPE, body });
        return missingOf(
          response.status === 409 && response.type === MEDIA_TYPE ? response : checked(response, http.url),
        );
      } catch (error) {
        const isWorthwhile =
          error instanceof KitchenError && error.code === "KS_UNAVAILABLE" && attempt < TRIES;
        if (!isWorthwhile) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
      }
    }
  }
}

/** The hashes in an answer to a submission. */
export function missingOf({ body }: { readonly body: Uint8Array }): readonly UnitHash[] {
  return Fields.unpack(body, "answer to a submission", 2).list(1).map(parseUnitHash);
}

function* batchesOf(all: readonly Outgoing[]): Generator<readonly Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for (const outgoing of all) {
    const size = outgoing.job.spec.length;
    if (batch.length >= MOST_JOBS || (batch.length > 0 && bytes + size > MOST_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(outgoing);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

export function unitsOf(
  batch: readonly { readonly units: readonly CodeUnit[] }[],
): Map<UnitHash, Uint8Array> {
  const units = new Map<UnitHash, Uint8Array>();
  for (const { units: own } of batch)
    for (const { hash, bytes } of own) units.set(parseUnitHash(hash), bytes);
  return units;
}
