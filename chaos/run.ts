// One run: a cluster, a load, faults; then everything settles, and what was promised is counted.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Dice } from "./dice.ts";
import { planOf } from "./faults/plan.ts";
import { Player, type PlayedFault } from "./faults/player.ts";
import { Auditor, TOO_LATE } from "./judge/auditor.ts";
import { Book } from "./judge/book.ts";
import { Census } from "./judge/census.ts";
import { Data } from "./judge/data.ts";
import { Ending, usedMB } from "./judge/ending.ts";
import { Gauges } from "./judge/gauges.ts";
import { Tally } from "./judge/tally.ts";
import type { Settings } from "./settings.ts";
import type { Exit } from "./stage/child.ts";
import type { StageClient } from "./stage/client.ts";
import { begunFile, Stage } from "./stage/stage.ts";

const LOOK_MS = 300;
const SETTLE_LOOK_MS = 1_000;
/** Of all jobs; more, and the run shows too little. */
const MOST_TOO_LATE = 0.02;
const COUNT_MS = 500;
const MEASURE_MS = 10_000;
/**
 * No calls are made from so many jobs on that have not ended, until few are left: those of a low priority have their turn
 * then. Faults take most of what a cluster can do: calls that came regardless would wait ever longer, until nothing but
 * waiting was tried.
 */
const MOST_UNENDED = 600;
const FEW_UNENDED = 60;
/** A request that was held up reaches its node within this. */
const ON_ITS_WAY_MS = 2_000;

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
  "too much not looked at in time",
  "not stopped",
  "keys left over",
  "files left over",
  "processes left over",
  "memory or files grown",
] as const;

export interface Result {
  readonly tally: Tally;
  /** What processes held, for people. */
  readonly held: readonly string[];
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
  readonly #census = new Census();
  readonly #gauges = new Gauges();
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
    const faults = await this.#play(stage);
    const held = this.#gauges.judge(this.#tally, this.#settings.durationMs);
    const keepsFiles = this.#tally.broken.length > 0;
    await stage.close({ keepsFiles });
    return { tally: this.#tally, held, faults, kept: keepsFiles ? stage.root : undefined };
  }

  #endedByItself(name: string, { code, signal }: Exit): void {
    this.#say(`ended by itself: ${name}`);
    this.#tally.break("ended by itself", `${name}: ${signal ?? code}`);
  }

  async #play(stage: Stage): Promise<readonly PlayedFault[]> {
    const auditor = this.#auditorOf(stage);
    let isFull = false;
    const looking = setInterval(() => {
      this.#book.read();
      auditor.look(Date.now());
      isFull = this.#book.unended > (isFull ? FEW_UNENDED : MOST_UNENDED);
      for (const client of stage.clients) client.pause(isFull);
    }, LOOK_MS);
    const counting = setInterval(() => this.#census.take(stage.nodes.map(({ pid }) => pid)), COUNT_MS);
    const player = new Player(stage, ({ kind, target }) => this.#say(`${kind}: ${target}`));
    await this.#underLoad(stage, player);
    this.#say("faults are over");
    await this.#settle(auditor, stage);
    clearInterval(looking);
    await auditor.close();
    await this.#endingOf(stage).judge();
    clearInterval(counting);
    return player.played;
  }

  async #underLoad(stage: Stage, player: Player): Promise<void> {
    const { durationMs } = this.#settings;
    for (const client of stage.clients) client.start();
    this.#gauges.note("MB of Redis", await usedMB(stage));
    const [node, client] = [stage.nodes[0]!, stage.clients[0]!];
    const measuring = setInterval(() => {
      for (const { name, pid } of [node, client]) this.#gauges.take(name, pid);
    }, MEASURE_MS);
    await player.play(planOf(this.#settings), durationMs);
    clearInterval(measuring);
    for (const each of stage.clients) each.stop();
  }

  /** Waits until every job has ended, and everybody who waits for one knows. */
  async #settle(auditor: Auditor, { clients }: Stage): Promise<void> {
    const { cases } = this.#book;
    const deadline = Date.now() + this.#settings.settleMs;
    auditor.isLast = true;
    for (const it of cases.values()) if (it.unknown > 0) it.dueAt = Date.now() + ON_ITS_WAY_MS;
    const waiting = (): StageClient[] => clients.filter(({ pid }) => pid !== 0);
    while ((cases.size > 0 || waiting().length > 0) && Date.now() < deadline) {
      await auditor.cancelUnread();
      await sleep(SETTLE_LOOK_MS);
    }
    this.#book.endStrays();
    const late = this.#tally.counted(TOO_LATE);
    if (late > this.#tally.counted("jobs made") * MOST_TOO_LATE)
      this.#tally.break("too much not looked at in time", `${late} jobs: this machine is too busy`);
    // Of maps, for one, nothing but their end is written down.
    for (const { name } of waiting()) this.#tally.break("never settled", `${name} still waits for something`);
    for (const it of cases.values())
      this.#tally.break("never settled", `${it.kind} ${it.id}: ${it.record?.state ?? "no end"}`, it);
  }

  #auditorOf({ nodes, token }: Stage): Auditor {
    const { seed, resultTtlMs } = this.#settings;
    const dice = new Dice(seed + 1);
    return new Auditor({ book: this.#book, tally: this.#tally, nodes, token, dice, resultTtlMs });
  }

  #endingOf(stage: Stage): Ending {
    const [settings, tally, data, census, gauges] = [
      this.#settings,
      this.#tally,
      this.#data,
      this.#census,
      this.#gauges,
    ];
    return new Ending({ settings, stage, tally, data, census, gauges, say: this.#say });
  }
}
