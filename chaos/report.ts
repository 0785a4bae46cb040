// What a run came to, for people.
import type { PlayedFault } from "./faults/player.ts";
import type { Result } from "./run.ts";
import type { Settings } from "./settings.ts";
import type { Broken } from "./judge/tally.ts";

const MOST_SHOWN = 20;
/** Faults so long before something broke may have to do with it. */
const BEFORE_MS = 30_000;

export function printReport({ tally, held, faults, kept }: Result, { seed }: Settings): void {
  const row = ([what, count]: readonly [string, number]): string => `  ${String(count).padStart(8)}  ${what}`;
  console.log(`\nWhat happened (${faults.length} faults)\n`);
  console.log(tally.counts.map(row).join("\n"));
  console.log(held.map((line) => `            ${line}`).join("\n"));
  console.log("\nWhat must not happen\n");
  console.log(tally.promises.map(row).join("\n"));
  for (const broken of tally.broken.slice(0, MOST_SHOWN)) console.log(`\n${describe(broken, faults)}`);
  if (kept === undefined) console.log(`\nAll promises hold (seed ${seed}).`);
  else console.log(`\n${tally.broken.length} did not hold. Logs and journals are in ${kept}; --seed ${seed}`);
}

function describe({ what, at, detail, about }: Broken, faults: readonly PlayedFault[]): string {
  const time = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
  const madeAt = about !== undefined && "madeAt" in about ? (about.madeAt as number) : at;
  const near = faults.filter(({ beganAt, endedAt = at }) => endedAt > madeAt - BEFORE_MS && beganAt < at);
  const lines = near.map(
    ({ kind, target, beganAt, endedAt }) =>
      `    ${time(beganAt)} to ${endedAt === undefined ? "the end" : time(endedAt)} ${kind}: ${target}`,
  );
  const story = about === undefined ? [] : [`    ${JSON.stringify(about)}`];
  return [`✗ ${what}: ${detail} (${time(at)})`, ...story, ...lines].join("\n");
}
