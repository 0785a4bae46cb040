// What is known of all jobs, from what clients and workers wrote down.
import { isUnended, recordOf, type Case, type Record } from "./case.ts";
import type { Data } from "./data.ts";
import { Tail } from "./tail.ts";
import type { Tally } from "./tally.ts";
import { UNANSWERED, type Begun, type Entry } from "../journal.ts";
import { findingsOf, wrongResult } from "./verdict.ts";

export class Book {
  readonly cases = new Map<string, Case>();
  /** By client, its jobs that it has seen no end of. */
  readonly #waiting = new Map<string, Set<string>>();
  /** Of jobs that are done with: the attempt that was committed; undefined where none can have been. */
  readonly #closed = new Map<string, number | undefined>();
  /** Begun attempts of jobs of which nobody has said that they were made. */
  readonly #strays = new Map<string, Begun[]>();
  readonly #journals = new Map<string, Tail>();
  readonly #begun: Tail;
  readonly #tally: Tally;
  readonly #data: Data;

  constructor({ begun, tally, data }: { begun: string; tally: Tally; data: Data }) {
    this.#begun = new Tail(begun);
    this.#tally = tally;
    this.#data = data;
  }

  addJournal(client: string, file: string): void {
    this.#journals.set(client, new Tail(file));
    this.#waiting.set(client, new Set());
  }

  /** The client has ended: whatever it waited for, nobody waits for any more. */
  endJournal(client: string): void {
    this.read();
    this.#journals.delete(client);
    for (const id of this.#waiting.get(client) ?? []) this.#leave(id);
    this.#waiting.delete(client);
  }

  /** How many jobs the cluster has said that it has, and nobody knows to have ended. */
  get unended(): number {
    let count = 0;
    for (const it of this.cases.values()) if (isUnended(it)) count += 1;
    return count;
  }

  /** Takes in what was written since the last time. Whoever begins was made before, and written down. */
  read(): void {
    const begun = this.#begun.read().map((line) => JSON.parse(line) as Begun);
    for (const [client, tail] of this.#journals)
      for (const line of tail.read()) this.#take(JSON.parse(line) as Entry, client);
    for (const one of begun) this.#begin(one);
  }

  /** At the end: a job of which nobody knows was made by a request whose answer was lost. */
  endStrays(): void {
    const unanswered = this.#tally.counted(UNANSWERED);
    if (this.#strays.size <= unanswered) return;
    const detail = `${this.#strays.size} jobs began, and only ${unanswered} answers were lost`;
    this.#tally.break("begun, but never made", detail, { strays: [...this.#strays.values()].slice(0, 10) });
  }

  /** Judges a job by its final record, and forgets it. Without one, the store never had it. */
  close(it: Case, record?: Record): void {
    // The cluster may tell the end sooner than the log was read of how it began.
    if (!it.begun.some(({ attempt }) => attempt === record?.attempt)) this.read();
    this.cases.delete(it.id);
    this.#closed.set(it.id, record?.attempt);
    if (it.expect.isInstant === true) return this.#judgeInstant(it);
    if (record === undefined) return this.#tally.count("jobs not taken, as was said");
    const code = record.state === "failed" ? ` with ${record.error?.code ?? "what it threw"}` : "";
    this.#tally.count(`jobs ${record.state}${code}`);
    this.#tally.count("attempts begun", it.begun.length);
    this.#tally.count("ends seen and compared", it.sightings.length);
    for (const { fault, detail } of findingsOf(it, record))
      this.#tally.break(fault, detail, { ...it, record });
  }

  /** What its caller saw is all there is. */
  #judgeInstant(it: Case): void {
    const [first] = it.sightings;
    if (first === undefined) return;
    const why = wrongResult(it, recordOf(first.seen));
    if (why !== undefined) this.#tally.break("wrong result", why, it);
  }

  #take(entry: Entry, client: string): void {
    switch (entry.type) {
      case "made":
        return this.#make(entry, client);
      case "taken":
        for (const id of entry.ids) this.#takenBy(id, entry.at);
        break;
      case "seen":
        return this.#see(entry, client);
      case "cancel":
        this.#case(entry.id, (it) => (it.cancelledAt = entry.at));
        break;
      case "wrong":
        this.#tally.break(`wrong ${entry.what}`, `${entry.id}: ${entry.detail}`, this.cases.get(entry.id));
        break;
      case "count":
        this.#tally.count(entry.what, entry.by);
        break;
      default:
        this.#data.take(entry);
    }
  }

  #make({ id, kind, expect, at, isLeft = false }: Extract<Entry, { type: "made" }>, client: string): void {
    this.#tally.count(expect.isInstant === true ? "instant calls made" : "jobs made");
    this.#tally.count(`kind: ${kind}`);
    const later = at + 10_000;
    this.cases.set(id, {
      id,
      kind,
      client,
      madeAt: at,
      expect,
      isLeft,
      begun: this.#strays.get(id) ?? [],
      sightings: [],
      dueAt: later,
      unknown: 0,
    });
    this.#strays.delete(id);
    if (!isLeft) this.#waiting.get(client)?.add(id);
  }

  #takenBy(id: string, at: number): void {
    this.#tally.count("jobs taken, as was acknowledged");
    this.#case(id, (it) => (it.takenAt = at));
  }

  #see({ id, seen, at }: Extract<Entry, { type: "seen" }>, client: string): void {
    this.#waiting.get(client)?.delete(id);
    if (seen.type === "error") this.#tally.count(`waiters told ${seen.code ?? seen.name}`);
    this.#case(id, (it) => {
      it.sightings.push({ at, by: client, seen });
      it.isLeft = true;
      it.dueAt = at;
    });
  }

  #begin(begun: Begun): void {
    const it = this.cases.get(begun.id);
    if (it !== undefined) {
      it.begun.push(begun);
      return;
    }
    const committed = this.#closed.get(begun.id);
    if (!this.#closed.has(begun.id))
      this.#strays.set(begun.id, [...(this.#strays.get(begun.id) ?? []), begun]);
    else if (committed !== undefined && begun.attempt > committed)
      this.#tally.break(
        "begun after the commit",
        `attempt ${committed} was committed: ${JSON.stringify(begun)}`,
      );
    else this.#tally.count("attempts begun that had lost their lease");
  }

  #leave(id: string): void {
    this.#case(id, (it) => (it.isLeft = true));
  }

  #case(id: string, change: (it: Case) => void): void {
    const it = this.cases.get(id);
    if (it !== undefined) change(it);
  }
}
