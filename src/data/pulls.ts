import { isSameData, type DataFacts } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";
import { CLUSTER_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION } from "../core/version.ts";
import { parseSource } from "../transfer/source.ts";
import type { Intake } from "./intake.ts";
import type { Arrived, PullOptions } from "./types.ts";
import { abortable } from "./wait.ts";

interface RunningPull {
  readonly facts: DataFacts;
  readonly arrived: Promise<Arrived>;
  readonly controller: AbortController;
  askers: number;
}

/** Fetches data from other nodes: each data url once at a time, however many ask for it. */
export class Pulls {
  readonly #intake: Intake;
  readonly #running = new Map<DataUrl, RunningPull>();

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  async pull(options: PullOptions): Promise<Arrived> {
    const { facts, signal } = options;
    signal?.throwIfAborted();
    const known = this.#intake.shelf.find(facts.url);
    if (known !== undefined && isSameData(known, facts)) return { replica: known, isKnown: true };
    const running = this.#running.get(facts.url) ?? this.#start(options);
    if (!isSameData(running.facts, facts)) throw otherData(facts.url);
    running.askers += 1;
    try {
      return await abortable(running.arrived, signal);
    } catch (error) {
      if (running.askers > 1) throw error;
      this.#stop(running);
      // Too late when it is being put in place: then it is here, and whoever asked enters it in the catalog.
      return await running.arrived.catch(() => {
        throw error;
      });
    } finally {
      running.askers -= 1;
      // Nobody wants it any more.
      if (running.askers === 0) this.#stop(running);
    }
  }

  /** Breaks all off; resolves when nothing of them is left. */
  async close(): Promise<void> {
    const running = [...this.#running.values()];
    for (const pull of running) this.#stop(pull);
    await Promise.allSettled(running.map(({ arrived }) => arrived));
  }

  #start(options: PullOptions): RunningPull {
    const { facts } = options;
    const controller = new AbortController();
    const arrived = this.#run(options, controller.signal);
    const running = { facts, arrived, controller, askers: 0 };
    this.#running.set(facts.url, running);
    arrived.catch(() => {}).finally(() => this.#forget(running));
    return running;
  }

  #stop(running: RunningPull): void {
    running.controller.abort();
    // Who asks from now on must not be given what ends.
    this.#forget(running);
  }

  #forget(running: RunningPull): void {
    const { url } = running.facts;
    if (this.#running.get(url) === running) this.#running.delete(url);
  }

  async #run(options: PullOptions, signal: AbortSignal): Promise<Arrived> {
    const { facts } = options;
    const what = `Cannot fetch "${facts.url}" from other nodes`;
    const headers = headersOf(options);
    const sources = options.sources.map(parseSource);
    const { url, size } = facts;
    const arrival = await this.#intake.admit({ kind: "pull", url, size, facts }, what);
    let from: string | undefined;
    const arrived = await this.#intake.finish(arrival, what, async () => {
      await this.#intake.thread.pull(
        {
          path: arrival.part,
          size: facts.size,
          sha256: facts.sha256,
          sources,
          headers,
          idleMs: options.idleMs,
        },
        {
          grown: (bytes) => arrival.grow(bytes),
          restarted: () => arrival.restart(),
          damaged: (places) => {
            for (const at of places) options.onDamaged?.(options.sources[at] ?? "");
          },
          verified: (at) => {
            from = options.sources[at];
            arrival.verify();
          },
        },
        signal,
      );
      return facts;
    });
    return { ...arrived, from };
  }
}

/** What a header can carry, and nothing that would end it. */
const VISIBLE = /^[\x20-\x7e]*$/;

function headersOf({ token, cluster }: PullOptions): string {
  const headers: [string, string][] = [
    [PROTOCOL_HEADER, String(PROTOCOL_VERSION)],
    [CLUSTER_HEADER, cluster],
  ];
  if (token !== null) headers.push(["authorization", `Bearer ${token}`]);
  return headers
    .map(([name, value]) => {
      if (VISIBLE.test(value)) return `${name}: ${value}\r\n`;
      throw new KitchenError(
        "KS_USAGE",
        `Cannot ask other nodes for data: the header ${name} has a bad character`,
      );
    })
    .join("");
}

function otherData(url: DataUrl): KitchenError {
  return new KitchenError(
    "KS_DATA_EXISTS",
    `Cannot fetch "${url}": other data of this name is on its way already (try again when it is there)`,
  );
}
