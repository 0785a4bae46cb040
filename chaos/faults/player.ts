// Has the planned faults happen, each to somebody to whom nothing of the kind happens already.
import { setTimeout as sleep } from "node:timers/promises";
import type { Stage } from "../stage/stage.ts";
import { FAULTS } from "./faults.ts";
import type { PlannedFault } from "./plan.ts";

export interface PlayedFault {
  readonly kind: string;
  readonly target: string;
  readonly beganAt: number;
  endedAt?: number;
}

export class Player {
  readonly played: PlayedFault[] = [];
  readonly #stage: Stage;
  readonly #onPlay: (fault: PlayedFault) => void;
  readonly #busy = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(stage: Stage, onPlay: (fault: PlayedFault) => void) {
    this.#stage = stage;
    this.#onPlay = onPlay;
  }

  /** Resolves when all are over, and whatever they took away is back. */
  async play(plan: readonly PlannedFault[], durationMs: number): Promise<void> {
    const begunAt = performance.now();
    const until = (atMs: number): Promise<void> => sleep(Math.max(0, atMs - (performance.now() - begunAt)));
    for (const fault of plan) {
      await until(fault.atMs);
      this.#begin(fault);
    }
    await until(durationMs);
    await Promise.all(this.#underWay);
  }

  #begin({ kind, forMs, draw }: PlannedFault): void {
    const free = FAULTS[kind].targets(this.#stage).filter(({ name }) => !this.#busy.has(name));
    const target = free[Math.floor(draw * free.length)];
    if (target === undefined) return;
    const played: PlayedFault = { kind, target: target.name, beganAt: Date.now() };
    this.played.push(played);
    this.#onPlay(played);
    this.#busy.add(target.name);
    const happening = target.happen({ forMs, draw }).then(() => {
      played.endedAt = Date.now();
      this.#busy.delete(target.name);
      this.#underWay.delete(happening);
    });
    this.#underWay.add(happening);
  }
}
