/** A sample of `npm run fuzz`: every parser of bytes from outside, and whole nodes, with damaged and made-up input. */
import { beforeAll, describe, expect, test } from "vitest";
import { record, type Recordings } from "./support/recordings.ts";
import { runTarget } from "./support/run-target.ts";
import { PARSERS, TARGETS } from "./targets/list.ts";
import { nodeTargets } from "./targets/node.ts";

const INPUTS = 300;
/** Of whole nodes fewer: each has to be looked at afterwards too. */
const NODE_INPUTS = { "node-requests": 200, "node-workers": 5 } as const;
const RANDOM_SEED = Math.floor(Math.random() * 2 ** 31);

let recordings: Recordings;
beforeAll(async () => {
  recordings = await record();
}, 60_000);

describe.each([
  ["the same seed as ever", 1],
  [`the seed ${RANDOM_SEED}`, RANDOM_SEED],
])("with %s", (_, seed) => {
  test.each(PARSERS)(
    "attack 11: $name takes what is well-formed and refuses the rest clearly",
    async (target) => {
      const { findings, accepted, refused, inputs } = await runTarget(target, {
        seed,
        inputs: INPUTS,
        recordings,
      });
      expect(findings, `npm run fuzz -- --seed ${seed} --only ${target.name}`).toEqual([]);
      expect(accepted + Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(inputs);
    },
  );
});

test.each(nodeTargets)(
  "attack 11: after $name a node is well: it answers, runs calls, and has not grown",
  { timeout: 120_000 },
  async (target) => {
    const inputs = NODE_INPUTS[target.name as keyof typeof NODE_INPUTS];
    const { findings } = await runTarget(target, { seed: RANDOM_SEED, inputs, recordings });
    expect(findings, `npm run fuzz -- --seed ${RANDOM_SEED} --only ${target.name}`).toEqual([]);
  },
);

test("targets have names of their own, and something to change", () => {
  expect(new Set(TARGETS.map(({ name }) => name)).size).toBe(TARGETS.length);
  for (const target of TARGETS) expect(target.recordings(recordings).length, target.name).toBeGreaterThan(0);
});
