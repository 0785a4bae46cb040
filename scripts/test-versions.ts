// Runs all tests on this Node, and on the other versions that the package is tested with those that depend on the version; ends
// with one line for all of them: `npm run test:versions`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { MAJORS, nodeBinary, OWN } from "../test/capture/support/nodes.ts";

const VITEST = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
/** As `test/support/closing-line.ts` prints them. */
const FAILED = /^failed:\n((?:  .*\n)+)/gm;
const CLOSING = /^(\d+) passed, (\d+) failed, (\d+) skipped$/gm;

/**
 * What depends on the version of Node, by how its path begins: capturing and running functions, streams, processes and
 * their memory, the REPL, and the examples, which use a little of all. One run of the others is enough: they are about
 * stores, nodes that are killed, refusals, damaged bytes, who has a turn, pages, the sources.
 */
const ON_EACH = [
  "test/capture/",
  "test/cli/repl/",
  "test/cli/start",
  "test/client/",
  "test/cluster/calls.test",
  "test/cluster/connection.test",
  "test/cluster/errors.test",
  "test/cluster/faults/worker-memory.test",
  "test/cluster/futures.test",
  "test/cluster/interrupt.test",
  "test/cluster/output.test",
  "test/cluster/source-modules.test",
  "test/cluster/stopping.test",
  "test/cluster/streams.test",
  "test/codec/",
  "test/examples/",
  "test/worker/",
];
/** They start every version themselves. */
const ONCE = ["test/capture/settings/**", "test/capture/versions.test.ts"];

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Run {
  readonly counts: Counts;
  /** The names of tests, a line each. */
  readonly failures: string;
}

const all: (Run & { readonly major: number })[] = [];
for (const major of MAJORS) {
  console.log(`\n— tests on Node ${major}`);
  all.push({ major, ...(await runTests(major).catch(notRun)) });
}
for (const { major, counts, failures } of all) console.log(`Node ${major}: ${lineOf(counts)}\n${failures}`);
const sum = all.map(({ counts }) => counts).reduce(add);
console.log(`\n${lineOf(sum)}`);
process.exit(sum.failed === 0 ? 0 : 1);

/** With that Node first on the path, so that all that tests start is run by it too. */
async function runTests(major: number): Promise<Run> {
  const node = await nodeBinary(major);
  const wanted = major === OWN ? [] : [...ON_EACH, ...ONCE.flatMap((files) => ["--exclude", files])];
  const child = spawn(node, [VITEST, "run", ...wanted], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env["PATH"]}` },
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
    process.stdout.write(piece);
  });
  const [code] = (await once(child, "close")) as [number | null];
  const failures = [...text.matchAll(FAILED)].map(([, names = ""]) => names).join("");
  return { counts: countsOf(text, code === 0), failures };
}

function notRun(reason: unknown): Run {
  return { counts: { passed: 0, failed: 1, skipped: 0 }, failures: `  not run: ${String(reason)}\n` };
}

/** A run that did not end well has failed, whatever it printed. */
function countsOf(text: string, hasPassed: boolean): Counts {
  const [, passed, failed, skipped] = [...text.matchAll(CLOSING)].at(-1) ?? [];
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0) };
  return hasPassed && passed !== undefined ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
}

function add(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

function lineOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
