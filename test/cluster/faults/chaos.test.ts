import { expect, test } from "vitest";
import { runChaos } from "../../../chaos/run.ts";
import { settingsFrom } from "../../../chaos/settings.ts";

/** `npm run chaos -- --minutes 60` does the same for an hour. */
const MINUTES = 0.4;
const SEED = 8;

test("fault 35: kills, cuts and outages at random, under load: nothing is lost, committed twice or left behind", async () => {
  const faults: string[] = [];
  const settings = settingsFrom(["--minutes", String(MINUTES), "--rate", "40"], SEED);
  if (settings === "help") throw new Error("No help was asked for");
  const { tally, kept } = await runChaos(settings, (line) => faults.push(line));
  expect(
    tally.broken.map(({ what, detail }) => `${what}: ${detail}`),
    `${kept}\n${faults.join("\n")}`,
  ).toEqual([]);
  expect(tally.counted("jobs succeeded")).toBeGreaterThan(100);
}, 300_000);
