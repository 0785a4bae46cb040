// `npm run fuzz -- [--seed N] [--only TARGET,…] [--inputs N]`: gives every parser of bytes from outside damaged and made-up
// input, each in a process of its own, and says what came of it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serialize } from "node:v8";
import { record } from "./support/recordings.ts";
import type { Report } from "./support/run-target.ts";
import type { Target } from "./support/target.ts";
import { TARGETS } from "./targets/list.ts";

const INPUTS = 100_000;
/** A target that says nothing for so long hangs. */
const SILENCE_MS = 30_000;
const ONE = fileURLToPath(new URL("one.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    only: { type: "string" },
    inputs: { type: "string" },
    help: { type: "boolean" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const wanted = values.only?.split(",") ?? TARGETS.map(({ name }) => name);
const unknown = wanted.find((name) => !TARGETS.some((target) => target.name === name));
if (values.help === true || unknown !== undefined || !Number.isSafeInteger(seed)) {
  console.log(
    `npm run fuzz -- [--seed N] [--only TARGET,…] [--inputs N]\nTargets: ${TARGETS.map(({ name }) => name).join(", ")}`,
  );
  process.exit(values.help === true ? 0 : 2);
}

console.log(`Seed ${seed}. Recording …`);
const directory = mkdtempSync(join(tmpdir(), "kitchensink-fuzz-"));
const file = join(directory, "recordings");
writeFileSync(file, serialize(await record()));
console.log(row(["target", "inputs", "accepted", "refused", "slowest ms", "heap MB", "s"]));
let isSound = true;
for (const target of TARGETS.filter(({ name }) => wanted.includes(name))) {
  const begunAt = performance.now();
  const report = await runApart(target, Math.min(Number(values.inputs ?? INPUTS), target.inputs ?? Infinity));
  show(report, (performance.now() - begunAt) / 1_000);
}
rmSync(directory, { recursive: true, force: true });
process.exit(isSound ? 0 : 1);

/** Runs a target in a process of its own: a crash or a hang is a finding too. */
async function runApart({ name }: Target, inputs: number): Promise<Report> {
  const args = ["--expose-gc", "--max-old-space-size=1024", "--import", "kitchensink/register", ONE];
  const child = spawn(process.execPath, [...args, name, String(seed), String(inputs), file], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  let [last, said] = ["", ""];
  const hang = setTimeout(() => child.kill("SIGKILL"), SILENCE_MS);
  child.stdio[3]?.on("data", (chunk: Buffer) => {
    last = chunk.toString().trimEnd().split("\n").at(-1) ?? "";
    hang.refresh();
  });
  child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code, signal] = await new Promise<readonly [number | null, string | null]>((resolve) =>
    child.once("close", (...how) => resolve(how)),
  );
  clearTimeout(hang);
  if (code === 0) return JSON.parse(said) as Report;
  const what = `its process ended at this input (${signal ?? `exit code ${code}`})`;
  const findings = [{ index: Number(last), what, input: "" }];
  return { target: name, inputs, accepted: 0, refused: {}, slowestMs: 0, heapGrowthBytes: 0, findings };
}

function show(report: Report, seconds: number): void {
  const { target, inputs, accepted, refused, slowestMs, heapGrowthBytes, findings } = report;
  const codes = Object.entries(refused).map(([code, count]) => `${code} ${count}`);
  const heap = (heapGrowthBytes / 1e6).toFixed(1);
  console.log(
    row([target, inputs, accepted, codes.join(", "), slowestMs.toFixed(1), heap, seconds.toFixed(0)]),
  );
  for (const { index, what, input } of findings)
    console.log(
      `  FOUND by --seed ${seed} --only ${target}, input ${index}: ${what}\n  ${input.slice(0, 2_000)}`,
    );
  if (findings.length > 0) isSound = false;
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}
