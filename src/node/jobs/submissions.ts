import { parseSpec } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { isContentId, type JobId, type NodeName, type UnitHash } from "../../core/ids.ts";
import type { JobSpec, Submission } from "../../core/messages.ts";
import { showBytes } from "../../core/show-bytes.ts";
import type { NewJob, Store, SubmitReply } from "../../store/port.ts";
import type { BlockedJobs } from "./blocked-jobs.ts";
import type { Activity } from "../activity/activity.ts";
import type { Hub } from "../watching/hub.ts";
import type { Router } from "./router.ts";
import { tellMissed } from "../watching/tell-missed.ts";
import type { UnitCache } from "./unit-cache.ts";

/** How many jobs one request may bring. */
const MOST_JOBS = 10_000;

export interface SubmissionsOptions {
  readonly node: NodeName;
  readonly store: Store;
  readonly hub: Hub;
  readonly units: UnitCache;
  readonly router: Router;
  readonly blocked: BlockedJobs;
  readonly activity: Activity;
  /** What the arguments and the function of one call may have together, in bytes. */
  readonly argumentBytes: number;
  /** Whether this node lets captured functions run in the namespace. */
  readonly isArbitraryAllowed: (namespace: string) => boolean;
  /** Resolves when the store has all that was said of jobs so far. */
  readonly drained: () => Promise<void>;
  /** Called right after a batch went to the store, in the same turn. */
  readonly onSubmitted: () => void;
  /** Some of the jobs may wait no longer than this. */
  readonly onExpiring: (ttlMs: number) => void;
}

/** Takes calls in: checks what may be asked, and puts jobs into the store. */
export class Submissions {
  readonly #options: SubmissionsOptions;

  constructor(options: SubmissionsOptions) {
    this.#options = options;
  }

  /** Queues a batch, all or none. @throws KitchenError `KS_ARBITRARY_BANNED`, `KS_BUSY`, `KS_CONFLICT`, `KS_BAD_REQUEST` … */
  async submit({ client, units, jobs }: Submission): Promise<SubmitReply> {
    const { store, node, hub, router, onSubmitted } = this.#options;
    if (jobs.length > MOST_JOBS)
      throw new KitchenError(
        "KS_TOO_LARGE",
        `Cannot take ${jobs.length} jobs at once: send at most ${MOST_JOBS}`,
      );
    const needs = new Set<UnitHash>();
    const streaming = new Map<JobId, boolean>();
    const rows = jobs.map(({ id, queue, priority, spec, inputs }): NewJob => {
      const { label, units: used, streamsOutput, ttlMs, isIdempotent, after } = this.check(spec);
      for (const hash of used) needs.add(hash);
      streaming.set(id, streamsOutput);
      const row = { id, queue, priority, label: label.slice(0, 100), spec };
      if (inputs.length === 0 && ttlMs === 0 && isIdempotent && after.length === 0) return row;
      return {
        ...row,
        ...(inputs.length === 0 ? {} : { inputs }),
        ...(ttlMs === 0 ? {} : { ttlMs }),
        ...(after.length === 0 ? {} : { after }),
        isAtMostOnce: !isIdempotent,
      };
    });
    const ids = jobs.map(({ id }) => id);
    const placed = rows.some((row) => row.inputs !== undefined) ? await router.route(rows) : rows;
    for (const [id, streamsOutput] of streaming) hub.watch(client, id, streamsOutput);
    this.#options.units.add(units);
    const submitted = store.submit({ watcher: node, jobs: placed, units, needs: [...needs] });
    onSubmitted();
    // What was not queued is not watched any more before it counts as answered: nobody asks the store for it.
    const settled = submitted.then(
      (reply) => {
        if (reply.type !== "queued") hub.unwatch(client, ids);
        return reply;
      },
      (error: unknown) => {
        hub.unwatch(client, ids);
        throw error;
      },
    );
    const reply = await hub.whileUnanswered(ids, settled);
    if (reply.type === "queued") {
      this.#options.blocked.follow(rows);
      this.#tellRefused(placed);
      const known = ids.filter((_, at) => reply.rows[at] === "known");
      await this.#tellKnown(client, known, (id) => streaming.get(id) === true);
      this.#noteExpiries(rows);
    }
    if (reply.type === "conflict")
      throw new KitchenError(
        "KS_CONFLICT",
        `The job ${reply.id} was submitted before with other contents: use a new id`,
      );
    if (reply.type === "full") throw fullError(reply, jobs.length);
    return reply;
  }

  #noteExpiries(rows: readonly NewJob[]): void {
    const ttlMs = Math.min(...rows.map((row) => row.ttlMs ?? Infinity));
    if (ttlMs < Infinity) this.#options.onExpiring(ttlMs);
  }

  /** Reads a job's spec and refuses what is banned here, without looking at the user's bytes. */
  check(specBytes: Uint8Array): JobSpec {
    const spec = parseSpec(specBytes);
    this.#checkSize(spec.label, specBytes.length);
    const carriesCode = spec.name === null || spec.units.length > 0;
    if (carriesCode && !this.#options.isArbitraryAllowed(spec.namespace))
      throw new KitchenError(
        "KS_ARBITRARY_BANNED",
        `Captured functions are banned in the namespace "${spec.namespace}": call a registered function by its name`,
      );
    return spec;
  }

  #checkSize(label: string, bytes: number): void {
    const { argumentBytes } = this.#options;
    if (bytes <= argumentBytes) return;
    throw new KitchenError(
      "KS_TOO_LARGE",
      `Cannot take ${label}: with its arguments it has ${showBytes(bytes)}, and the limit is ${showBytes(argumentBytes)} (save them as RemoteData and pass that, or raise --argument-limit)`,
    );
  }

  /** A job that may run nowhere has ended with its submit, of which there is no event. */
  #tellRefused(rows: readonly NewJob[]): void {
    const { hub, activity } = this.#options;
    for (const { id, label, refusal } of rows) {
      if (refusal === undefined) continue;
      hub.finished(id, "failed", refusal);
      activity.endedUnbegun([{ id, label }], "failed");
    }
  }

  /**
   * A job that was known may have ended long ago: nothing more would be heard of it. When the answer to its submit was lost,
   * so was what it has printed; a call that is made once more has the result of the first, and not its output.
   */
  async #tellKnown(
    client: string,
    ids: readonly JobId[],
    streamsOutput: (id: JobId) => boolean,
  ): Promise<void> {
    if (ids.length === 0) return;
    const { store, node, hub, drained } = this.#options;
    await hub.tellFirst(ids, async () => {
      await drained();
      const records = await store.watch(ids, node);
      for (const [at, id] of ids.entries()) {
        const from = streamsOutput(id) && !isContentId(id) ? 0 : undefined;
        await tellMissed(client, { id, from }, records[at], { hub, store });
      }
    });
  }
}

function fullError({ queue, waiting, limit }: SubmitReply & { type: "full" }, count: number): KitchenError {
  const calls = count === 1 ? "the call" : `any of these ${count} calls`;
  return new KitchenError(
    "KS_BUSY",
    `Cannot take ${calls}: ${waiting} jobs wait in the queue "${queue}", and its limit is ${limit} (try again later, start more workers for the queue, or raise --queue-limit)`,
  );
}
