// One run: a cluster, a load, faults; then everything settles, and what was promised is counted.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Dice } from "./dice.ts";
import { planOf } from "./faults/plan.ts";
import { Player, type PlayedFault } from "./faults/player.ts";
import { Auditor } from "./judge/auditor.ts";
import { Book } from "./judge/book.ts";
import { Data } from "./judge/data.ts";
import { Tally } from "./judge/tally.ts";
import type { Settings } from "./settings.ts";
import type { Exit } from "./stage/child.ts";
import { begunFile, Stage } from "./stage/stage.ts";

const LOOK_MS = 300;

export const PROMISES = [
  "lost",
  "never settled",
  "committed twice",
  "begun twice",
  "begun after the commit",
  "begun, but never made",
  "wrong result",
  "wrong output",
  "wrong items",
  "wrong data",
  "ended by itself",
] as const;

export interface Result {
  readonly tally: Tally;
  readonly faults: readonly PlayedFault[];
  /** Where logs and journals are, when something did not hold. */
  readonly kept: string | undefined;
}

export async function runChaos(settings: Settings, say: (line: string) => void): Promise<Result> {
  const run = new Run(settings, say);
  return await run.toEnd();
}

class Run {
  readonly #settings: Settings;
  readonly #say: (line: string) => void;
  readonly #root = mkdtempSync(join(tmpdir(), "kitchensink-chaos-"));
  readonly #tally = new Tally(PROMISES);
  readonly #data = new Data(this.#tally);
  readonly #book = new Book({ begun: begunFile(this.#root), tally: this.#tally, data: this.#data });

  constructor(settings: Settings, say: (line: string) => void) {
    this.#settings = settings;
    this.#say = say;
  }

  async toEnd(): Promise<Result> {
    const stage = await Stage.open(this.#root, this.#settings, {
      onNodeExit: (node, exit, wasAsked) => {
        if (!wasAsked) this.#endedByItself(node.name, exit);
      },
      onClientStart: (name, journal) => this.#book.addJournal(name, journal),
      onClientExit: (name, exit) => {
        this.#book.endJournal(name);
        if (exit.signal !== "SIGKILL" && exit.code !== 0) this.#endedByItself(name, exit);
      },
    });
    const faults = await this.#onStage(stage, this.#book);
    const keepsFiles = this.#tally.broken.length > 0;
    await stage.close({ keepsFiles });
    return { tally: this.#tally, faults, kept: keepsFiles ? stage.root : undefined };
  }

  #endedByItself(name: string, { code, signal }: Exit): void {
    this.#tally.break("ended by itself", `${name}: ${signal ?? code}`);
  }

  async #onStage(stage: Stage, book: Book): Promise<readonly PlayedFault[]> {
    const { durationMs, seed, resultTtlMs } = this.#settings;
    const dice = new Dice(seed + 1);
    const auditor = new Auditor({
      book,
      tally: this.#tally,
      nodes: stage.nodes,
      token: stage.token,
      dice,
      resultTtlMs,
    });
    const looking = setInterval(() => {
      book.read();
      auditor.look(Date.now());
    }, LOOK_MS);
    const player = new Player(stage, ({ kind, target }) => this.#say(`${kind}: ${target}`));
    for (const client of stage.clients) client.start();
    await player.play(planOf(this.#settings), durationMs);
    this.#say("faults are over");
    for (const client of stage.clients) client.stop();
    await this.#settle(book, auditor);
    clearInterval(looking);
    await auditor.close();
    return player.played;
  }

  async #settle(book: Book, auditor: Auditor): Promise<void> {
    const deadline = Date.now() + this.#settings.settleMs;
    auditor.isLast = true;
    for (const it of book.cases.values()) if (it.unknown > 0) it.dueAt = Date.now() + 2_000;
    while (book.cases.size > 0 && Date.now() < deadline) await sleep(LOOK_MS);
    for (const it of book.cases.values())
      this.#tally.break("never settled", `${it.kind} ${it.id}: ${it.record?.state ?? "no end"}`, it);
  }
}
