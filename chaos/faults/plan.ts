// Pure: which faults happen when, and for how long, by the seed.
import { Dice } from "../dice.ts";
import type { Settings } from "../settings.ts";

/** Every kind of fault, and how many there are of it in a deck. */
const DECK = {
  "kill a node": 3,
  "ask a node to stop": 2,
  "ask a node to stop, twice": 1,
  "freeze a node for less than its lease": 2,
  "freeze a node for longer than its lease": 2,
  "freeze a node and its workers": 1,
  "kill a worker": 5,
  "kill Redis": 1,
  "kill Redis and leave it away": 1,
  "freeze Redis": 1,
  "flush Redis's scripts": 2,
  "have Redis close all connections": 2,
  "cut a node from Redis": 2,
  "black-hole a node's way to Redis": 2,
  "cut clients from a node": 2,
  "black-hole clients' way to a node": 2,
  "cut a node from other nodes": 1,
  "black-hole other nodes' way to a node": 1,
  "slow down a node's way to Redis": 1,
  "kill a client": 2,
} as const;

export type FaultKind = keyof typeof DECK;
export const FAULT_KINDS = Object.keys(DECK) as readonly FaultKind[];

export interface PlannedFault {
  /** From the beginning. */
  readonly atMs: number;
  readonly kind: FaultKind;
  /** How long it lasts; after a kill, until it is started again. */
  readonly forMs: number;
  /** Draws whom it hits, among those that it can hit then. */
  readonly draw: number;
}

const PAUSE_MS: readonly [number, number] = [500, 5_500];
const LEASE_MS = 6_000;
/** Past the lease, a sweep, and a margin. */
const PAST_LEASE_MS: readonly [number, number] = [LEASE_MS + 1_000, LEASE_MS * 2];
/** One of so many that can be long is. */
const LONG_ONES = 6;

/** Deck after deck, so that each kind happens before any happens too often. */
export function planOf({ seed, durationMs, longestMs }: Settings): PlannedFault[] {
  const dice = new Dice(seed);
  const faults: PlannedFault[] = [];
  let atMs = dice.between(...PAUSE_MS);
  for (;;) {
    for (const kind of dice.shuffled(
      FAULT_KINDS.flatMap((name) => Array.from({ length: DECK[name] }, () => name)),
    )) {
      const fault = { atMs, kind, forMs: lengthOf(kind, dice, longestMs), draw: dice.between(0, 1) };
      if (atMs >= durationMs) return faults;
      faults.push(fault);
      atMs += dice.between(...PAUSE_MS);
    }
  }
}

function lengthOf(kind: FaultKind, dice: Dice, longestMs: number): number {
  if (kind === "freeze a node for less than its lease") return dice.between(500, LEASE_MS - 2_000);
  if (kind.startsWith("freeze a node")) return dice.between(...PAST_LEASE_MS);
  return dice.whole(1, LONG_ONES) === 1 ? dice.between(longestMs / 2, longestMs) : dice.between(200, 6_000);
}
