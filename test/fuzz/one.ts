// One target in a process of its own, which its parent watches: `one.ts TARGET SEED INPUTS RECORDINGS-FILE`.
import { readFileSync, writeSync } from "node:fs";
import { deserialize } from "node:v8";
import type { Recordings } from "./support/recordings.ts";
import { runTarget } from "./support/run-target.ts";
import { TARGETS } from "./targets/list.ts";

/** Where the parent reads how far this is: an input's number, which is the one at fault when nothing follows. */
const PROGRESS_FD = 3;

const [name, seed, inputs, file = ""] = process.argv.slice(2);
const target = TARGETS.find((candidate) => candidate.name === name);
if (target === undefined) throw new Error(`There is no target ${name}`);
const recordings = deserialize(readFileSync(file)) as Recordings;
const report = await runTarget(target, {
  seed: Number(seed),
  inputs: Number(inputs),
  recordings,
  onInput: (index) => void writeSync(PROGRESS_FD, `${index}\n`),
});
process.stdout.write(JSON.stringify(report));
process.exit(0);
