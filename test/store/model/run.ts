import fc from "fast-check";
import type { NodeName } from "../../../src/core/ids.ts";
import type { Expiring, Offers, Swept } from "../../../src/store/port.ts";
import { bytes } from "../support/harness.ts";
import { History, type Subject } from "./history.ts";
import { IDS, MAX_DEATHS, NODES, QUEUES, SETTINGS, type Step, step, UNIT_MS } from "./steps.ts";

const STEPS: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 80, size: "max" });

export interface HowMany {
  readonly numRuns: number;
  readonly timeoutMs: number;
}
/** The time that is kept for telling of the shortest history that was found until then. */
const TELLING_MS = 20_000;

/** `MODEL_RUNS=20000` for a long look; `MODEL_REPLAY="SEED PATH"`, as a failure says them, for that one again. */
export function howMany(usually: number): HowMany {
  const numRuns = Number(process.env["MODEL_RUNS"] ?? usually);
  return { numRuns, timeoutMs: 120_000 + numRuns * 500 };
}

function replay(): { seed: number; path?: string } | undefined {
  const [seed, path] = process.env["MODEL_REPLAY"]?.split(" ") ?? [];
  if (seed === undefined) return undefined;
  return path === undefined ? { seed: Number(seed) } : { seed: Number(seed), path };
}

/** Lets histories happen, each to a store of its own, which `withSubject` opens and closes. Gives their number. */
export async function checkHistories<Kind>(
  kind: fc.Arbitrary<Kind>,
  { numRuns, timeoutMs }: HowMany,
  withSubject: (kind: Kind, body: (subject: Subject) => Promise<void>) => Promise<void>,
): Promise<number> {
  const property = fc.asyncProperty(kind, STEPS, (of, steps) =>
    withSubject(of, (subject) => run(subject, steps)),
  );
  const limit = { interruptAfterTimeLimit: timeoutMs - TELLING_MS, markInterruptAsFailure: true };
  const found = await fc.check(property, { numRuns, ...limit, ...replay() });
  if (found.failed && found.counterexample === null)
    throw new Error(`There was time for ${found.numRuns} of ${numRuns} histories only`);
  if (found.failed)
    throw new Error(
      `History ${found.numRuns} of ${numRuns} failed; again: MODEL_REPLAY="${found.seed} ${found.counterexamplePath}"`,
      { cause: found.errorInstance },
    );
  return found.numRuns;
}

async function run(subject: Subject, steps: readonly Step[]): Promise<void> {
  const history = new History(subject);
  for (const node of NODES) await history.register(node, 4);
  for (const one of steps) await history.step(one);
  await settle(history);
}

/**
 * No job may be stranded: one node that goes on while all others are silent, and then all of them, bring every job to its
 * end. When all has expired, nothing is left.
 */
async function settle(history: History): Promise<void> {
  const [first] = NODES;
  // Ends a silence, if there is one. Leases that hold begin anew then.
  await history.register(first!, 1);
  await history.register(first!, 30);
  await history.do({ do: "pass", ms: 10 * UNIT_MS });
  await endAll(history, first!);
  for (const node of NODES) await history.register(node, 30);
  for (const node of NODES) await endAll(history, node);
  await history.expectEnds();
  for (const node of NODES) await history.do({ do: "leave", node });
  await history.do({ do: "pass", ms: SETTINGS.resultTtlMs + SETTINGS.unitTtlMs });
  await history.expectEmpty();
}

const ANYONE: Offers = { nodes: [], othersDelayMs: 0 };
const ended = { next: "succeeded", outcome: bytes("") } as const;

/** A node takes and ends whatever it can. */
async function endAll(history: History, node: NodeName): Promise<void> {
  const { unplaced } = (await history.do({ do: "sweep", node, maxDeaths: MAX_DEATHS })) as Swept;
  const placed = unplaced.map(({ id }) => ({ id, offers: ANYONE, placement: "last" }));
  await history.do({ do: "place", node, rows: placed });
  const released = IDS.map((id) => ({ id, next: "queued", inputs: [] }) as const);
  await history.do({ do: "release", node, rows: released });
  const { due } = (await history.do({ do: "expire", node, rows: [] })) as Expiring;
  const late = due.map(({ id }) => ({ id, outcome: bytes("too late") }));
  await history.do({ do: "expire", node, rows: late });
  await history.do({ do: "claim", request: { node, queues: QUEUES, count: 100, takesData: true } });
  const rows = history.jobsOn(node).map(({ given: { id }, attempt }) => ({ id, attempt, ...ended }) as const);
  await history.do({ do: "finish", node, rows });
}
