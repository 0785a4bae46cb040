// Asks the cluster for jobs by their ids, as somebody else would who knows nothing but these.
import { Client } from "kitchensink";
import pLimit from "p-limit";
import type { Dice } from "../dice.ts";
import { errorSeen } from "../load/caller.ts";
import type { Marked } from "../load/mark.ts";
import type { StageNode } from "../stage/node.ts";
import type { Book } from "./book.ts";
import { isEnd, type Case, type Record } from "./case.ts";
import type { Tally } from "./tally.ts";

const AT_ONCE = 32;
const AGAIN_MS = 3_000;
const MOST_LATER_MS = 20_000;
const MOST_DOUBLINGS = 6;
const ANSWER_MS = 3_000;
/** So many of a hundred results are read by another client too. */
const READ_AGAIN = 0.3;

/** Of a job that ended before somebody looked whether the cluster knows it, nothing can be told. */
export const TOO_LATE = "jobs looked at too late, when their records may have expired";

export interface AuditorOptions {
  readonly book: Book;
  readonly tally: Tally;
  readonly nodes: readonly StageNode[];
  readonly token: string;
  readonly dice: Dice;
  readonly resultTtlMs: number;
}

export class Auditor {
  /** Nothing is on its way any more: what is unknown now was never taken. */
  isLast = false;
  readonly #options: AuditorOptions;
  readonly #limit = pLimit(AT_ONCE);
  readonly #underWay = new Set<string>();
  readonly #readers: readonly Client[];

  constructor(options: AuditorOptions) {
    this.#options = options;
    const { nodes, token } = options;
    this.#readers = nodes.map(({ url }) => new Client(url, { token, output: "off" }));
  }

  /** Looks at all jobs that are due. */
  look(now: number): void {
    for (const it of this.#options.book.cases.values())
      if (it.dueAt <= now && !this.#underWay.has(it.id)) void this.#start(it);
  }

  /** Cancels generators that nobody reads: they would wait for a reader. */
  async cancelUnread(): Promise<void> {
    const { book, dice } = this.#options;
    const unread = [...book.cases.values()].filter(
      ({ expect, isLeft }) => expect.isStream === true && isLeft,
    );
    for (const { id } of unread)
      await dice
        .oneOf(this.#readers)
        .job(id)
        .cancel("nobody reads it")
        .catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  async #start(it: Case): Promise<void> {
    this.#underWay.add(it.id);
    try {
      await this.#limit(() => this.#audit(it));
    } finally {
      this.#underWay.delete(it.id);
    }
  }

  async #audit(it: Case): Promise<void> {
    const { book } = this.#options;
    it.dueAt = Date.now() + AGAIN_MS;
    if (it.expect.isInstant === true) return it.isLeft ? book.close(it) : undefined;
    if (it.record !== undefined) await this.#readAgain(it);
    else await this.#ask(it);
    // Who still waits must see the end too.
    if (it.record !== undefined && it.isLeft && it.dueAt === Infinity) book.close(it, it.record);
  }

  async #ask(it: Case): Promise<void> {
    const answer = await this.#fetch(it.id);
    if (answer === "unknown") return this.#unknown(it);
    if (answer === undefined || answer.state === "queued" || answer.state === "running") return;
    it.record = answer;
    const mark = (answer.result as Marked | undefined)?.mark;
    if (mark !== undefined)
      it.sightings.push({
        at: Date.now(),
        by: "HTTP",
        seen: { type: "value", ...(answer.result as Marked) },
      });
    this.#planAgain(it);
  }

  /** Nobody knows it: it was never taken, or is on its way, or is lost. */
  #unknown(it: Case): void {
    const { book, tally, resultTtlMs } = this.#options;
    it.unknown += 1;
    it.dueAt = Date.now() + AGAIN_MS * 2 ** Math.min(it.unknown, MOST_DOUBLINGS);
    if (it.takenAt !== undefined || it.sightings.some(isEnd)) {
      const isLate = Date.now() - it.madeAt > resultTtlMs;
      if (isLate) tally.count(TOO_LATE);
      else tally.break("lost", "the cluster had it, and knows it no more", it);
      book.close(it);
    } else if (this.isLast && it.isLeft) book.close(it);
  }

  /** Some are read once more, some time later, by another client. */
  #planAgain(it: Case): void {
    const { dice, resultTtlMs } = this.#options;
    const again = it.expect.isStream !== true && dice.chance(READ_AGAIN);
    it.dueAt = again
      ? Date.now() + dice.between(0, Math.min(MOST_LATER_MS, resultTtlMs / 3))
      : it.isLeft
        ? Infinity
        : it.dueAt;
  }

  async #readAgain(it: Case): Promise<void> {
    const { tally, dice, resultTtlMs } = this.#options;
    // Nobody promises it for longer.
    const endedAt = Date.parse(it.record?.finishedAt ?? "");
    if (
      it.expect.isStream !== true &&
      !it.sightings.some(({ by }) => by === "reader") &&
      Date.now() - endedAt < resultTtlMs * 0.8
    ) {
      const reader = dice.oneOf(this.#readers);
      const seen = await reader
        .result<Marked>(it.id)
        .then(({ mark, value }) => ({ type: "value", mark, value }) as const, errorSeen);
      it.sightings.push({ at: Date.now(), by: "reader", seen });
      tally.count("results read by another client");
    }
    if (it.isLeft) it.dueAt = Infinity;
  }

  /** Undefined when it cannot be known now. */
  async #fetch(id: string): Promise<Record | "unknown" | undefined> {
    const { nodes, dice, token } = this.#options;
    const url = new URL(`v1/jobs/${id}`, dice.oneOf(nodes).directUrl);
    try {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) });
      if (response.status === 404) return "unknown";
      return response.ok ? ((await response.json()) as Record) : undefined;
    } catch {
      return undefined;
    }
  }
}
