// Keeps a bounded load going, through whichever node.
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type Job } from "kitchensink";
import { Dice } from "../dice.ts";
import { Journal } from "../journal.ts";
import type { LoadSettings } from "../stage/client.ts";
import { Caller, type Kind } from "./caller.ts";
import { KINDS } from "./kinds.ts";

const TURN_MS = 200;
/** More than this is not under way at once: calls are not made then. */
const MOST_OPEN = 400;

/** Jobs that were made at once. */
interface Turn {
  readonly jobs: Job<unknown>[];
  isOver: boolean;
}

export class Load {
  /** No calls are made meanwhile. */
  isPaused = false;
  readonly #settings: LoadSettings;
  readonly #dice: Dice;
  readonly #journal: Journal;
  readonly #clients: readonly { readonly url: string; readonly client: Client }[];
  readonly #deck: readonly Kind[];
  readonly #open = new Set<Promise<unknown>>();
  #isStopping = false;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    this.#dice = new Dice(settings.seed);
    this.#journal = new Journal(settings.journal);
    const { token } = settings;
    this.#clients = settings.urls.map((url) => ({ url, client: new Client(url, { token, output: "off" }) }));
    this.#deck = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Resolves when it was stopped and everything that was under way has settled. */
  async run(): Promise<void> {
    while (!this.#isStopping) {
      if (!this.isPaused) this.#turn();
      await sleep(TURN_MS);
    }
    while (this.#open.size > 0) await Promise.race(this.#open);
    await Promise.all(this.#clients.map(({ client }) => client.close()));
  }

  /** All calls of a turn go through one node, and mostly leave together. */
  #turn(): void {
    const place = this.#dice.oneOf(this.#clients);
    const turn: Turn = { jobs: [], isOver: false };
    const wanted = (this.#settings.callsPerSecond * TURN_MS) / 1_000;
    const count = Math.floor(this.#dice.between(0.5, 1.5) * wanted + 0.5);
    for (let made = 0; made < count && this.#open.size < MOST_OPEN; made += 1) this.#begin(place, turn);
    turn.isOver = true;
    if (turn.jobs.length > 0) void this.#noteTaken(turn.jobs);
  }

  #begin({ url, client }: { url: string; client: Client }, turn: Turn): void {
    const kind = this.#dice.oneOf(this.#deck);
    const { token, begun } = this.#settings;
    const caller = new Caller({
      kind: kind.name,
      client,
      url,
      token,
      begun,
      dice: this.#dice,
      journal: this.#journal,
      hold: (underWay) => this.#hold(underWay),
      submitted: (job) => (turn.isOver ? void this.#noteTaken([job]) : turn.jobs.push(job)),
    });
    const begins = kind.begin(caller);
    if (begins !== undefined) this.#hold(begins);
  }

  #hold(underWay: Promise<unknown>): void {
    const held = underWay.finally(() => this.#open.delete(held));
    this.#open.add(held);
  }

  /** They leave in their order and in one piece, so the cluster has them all when it has the last. */
  async #noteTaken(jobs: readonly Job<unknown>[]): Promise<void> {
    try {
      await jobs.at(-1)?.status();
      this.#journal.write({ type: "taken", ids: jobs.map(({ id }) => id) });
    } catch {
      // Perhaps it has them, perhaps not.
    }
  }
}
