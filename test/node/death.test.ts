import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../src/core/version.ts";
import { deathNote, deathReport, type Death } from "../../src/node/jobs/death.ts";
import { startNode } from "../../src/node/node.ts";
import { nodeOptions } from "./support/node-options.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import { OomKills } from "../../src/worker/oom-kills.ts";
import { OutputTail } from "../../src/worker/output-tail.ts";
import { parseOutcome } from "../../src/codec/wire.ts";
import { claim, DEFAULTS, N1, N2, newJob, state, submit } from "../store/support/harness.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const death = (more: Partial<Death>): Death => ({
  exit: { code: null, signal: "SIGKILL" },
  label: "f",
  node: "node1",
  attempt: 1,
  isIdempotent: true,
  ranMs: 12.3,
  lastOutput: "",
  memoryBytes: undefined,
  earlier: [],
  ...more,
});

test.each([
  ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "SIGABRT", null],
  [
    "FATAL ERROR: Committing semi space failed. Allocation failed - JavaScript heap out of memory",
    "SIGABRT",
    null,
  ],
  ["terminate called after throwing an instance of 'std::bad_alloc'", null, 134],
  // Without the memory to write the name out.
  ["terminate called after throwing an instance of 'St9bad_alloc'", "SIGABRT", null],
  ["#\n# Fatal JavaScript out of memory: Reached heap limit\n#", "SIGTRAP", null],
] as const)("out of memory is known by what V8 says (%s)", (lastOutput, signal, code) => {
  const exit = { code, signal };
  expect(deathReport(death({ exit, lastOutput, memoryBytes: 256_000_000 }))).toContain(
    "out of memory; its limit is 256 MB",
  );
  expect(deathReport(death({ exit, lastOutput }))).toContain("no --worker-memory");
});

test("a job that prints the words does not make its death one for lack of memory", () => {
  const said = "FATAL ERROR: out of memory";
  expect(deathReport(death({ lastOutput: said }))).not.toContain("its limit");
  expect(
    deathReport(death({ exit: { code: null, signal: "SIGABRT" }, lastOutput: `I am ${said}` })),
  ).not.toContain("its limit");
});

test.each(["SIGSEGV", "SIGBUS", "SIGTRAP", "SIGILL", "SIGABRT"] as const)(
  "a crash by %s without a word may be for lack of memory, where that is limited",
  (signal) => {
    const crash = { exit: { code: null, signal } };
    const limited = deathReport(death({ ...crash, memoryBytes: 256_000_000 }));
    expect(limited).toContain(
      `(killed by ${signal}; perhaps out of memory: its limit is 256 MB (--worker-memory))`,
    );
    expect(deathReport(death(crash))).toContain(`(killed by ${signal})`);
    expect(deathReport(death({ memoryBytes: 256_000_000 }))).toContain("(killed by SIGKILL)");
  },
);

const GARBAGE = "\n<--- Last few GCs --->\n\n[7:0x2789ad10]      217 ms: Mark-Compact 33.4 (66.7) MB\n\n";
const NATIVE =
  "----- Native stack trace -----\n\n 1: 0xd3a3c0  [node]\n10: 0xf50bdf v8::Call(int) [node]\n\n";
const JAVASCRIPT = "----- JavaScript stack trace -----\n\n1: file:///a.mjs:3:40\n2: run (node:x:1:2)\n\n\n";
const FULL = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
const FAILED = "# Fatal error in , line 0\n# Check failed: x.";
const BAD_ALLOC = "terminate called after throwing an instance of 'std::bad_alloc'";
test.each([
  ["both traces", NATIVE + JAVASCRIPT, []],
  ["a full heap", `${GARBAGE}\n<--- JS stacktrace --->\n\n${FULL}\n${NATIVE}`, [FULL]],
  [
    "a full heap whose collections are told from the middle of a word",
    `${GARBAGE.replace("[7:", "iz[7:")}\n<--- JS stacktrace --->\n\n${FULL}\n${NATIVE}`,
    [FULL],
  ],
  ["a full heap of Node 24", `${GARBAGE}${FULL}\n${NATIVE}${JAVASCRIPT}`, [FULL]],
  [
    "a check of V8",
    `\n\n#\n${FAILED}\n#\n#\n#FailureMessage: 0x7f\n${NATIVE}`,
    [...FAILED.split("\n"), "#FailureMessage: 0x7f"],
  ],
  ["C++", `${BAD_ALLOC}\n  what():  std::bad_alloc\n`, [BAD_ALLOC, "  what():  std::bad_alloc"]],
])("a report has the job's last 20 lines, whatever V8 said behind them (%s)", (_, said, fatal) => {
  const printed = Array.from({ length: 30 }, (_line, at) => (at === 25 ? "" : `line ${at}`));
  const shown = (lastOutput: string): string[] => {
    const exit = { code: null, signal: "SIGABRT" } as const;
    return deathReport(death({ exit, lastOutput })).split("\n").slice(1);
  };
  for (const end of ["", "\n"])
    expect(shown(`${printed.join("\n")}${end}${said}`)).toEqual([...printed.slice(10), ...fatal]);
  // What the other stream brings later is not V8's.
  expect(shown(`a\n${said}b\n`)).toEqual(["a", "b", ...fatal]);
});

test("a SIGKILL is the system's when it says so, and may be when nobody can tell", () => {
  const killed = { code: null, signal: "SIGKILL" } as const;
  const report = (because: "system-out-of-memory" | "unknown-killer"): string =>
    deathReport(death({ exit: { ...killed, because } }));
  expect(report("system-out-of-memory")).toContain("killed by SIGKILL: out of memory, as the whole system");
  expect(report("unknown-killer")).toContain("by somebody, or by the system, if memory ran out");
});

test("what is kept of a death is one short line", () => {
  expect(deathNote(death({}))).toBe("attempt 1 on node1, after 12 ms: killed by SIGKILL");
  expect(deathNote(death({ node: "n".repeat(1_000) })).length).toBeLessThanOrEqual(300);
});

test("kills of the system are known by a counter that grew since somebody asked", () => {
  const file = join(temporaryDirectory(), "memory.events");
  expect(new OomKills([file]).anyNew()).toBeUndefined();
  writeFileSync(file, "oom 3\noom_kill 2\noom_group_kill 9\n");
  const kills = new OomKills(["/nowhere", file]);
  expect(kills.anyNew()).toBe(false);
  writeFileSync(file, "oom 3\noom_kill 3\n");
  expect([kills.anyNew(), kills.anyNew()]).toEqual([true, false]);
});

test("the last output of a run is kept, however it came, and no more", () => {
  const tail = new OutputTail();
  for (let at = 0; at < 20_000; at += 1) tail.push(Buffer.from(`${at}\n`));
  expect(tail.toString().endsWith("\n19998\n19999\n")).toBe(true);
  tail.push(Buffer.alloc(1_000_000, "x"));
  tail.push(Buffer.from("end"));
  expect(tail.toString().endsWith("xend")).toBe(true);
  expect(tail.toString().length).toBeLessThanOrEqual(32 * 1024);
});

test("fault 16: a job whose last node was lost fails with its name and all deaths", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const terms = { token: "none", protocol: PROTOCOL_VERSION };
  await store.register({ name: N1, incarnation: "a", terms, leaseMs: 1_000, facts: "{}" });
  const job = newJob({ label: "doomed" });
  await submit(store, job);
  await claim(store, N1);
  const first = {
    id: job.id,
    attempt: 1,
    next: "queued",
    deaths: 1,
    throws: 0,
    death: "attempt 1: it died",
  } as const;
  const second = { ...first, attempt: 2, deaths: 2, death: "attempt 2: it died" } as const;
  await store.finish(N1, [first]);
  await claim(store, N1);
  await store.finish(N1, [second]);
  await claim(store, N1);
  const node = await startNode({ ...nodeOptions(store), name: N2, dataThresholdBytes: 1, leaseMs: 600 });
  try {
    await expect.poll(() => state(store, job.id), { timeout: 10_000 }).toBe("failed");
    const [record] = await store.read([job.id]);
    const outcome = parseOutcome(record!.outcome!);
    if (outcome.type !== "error") throw new Error("no error");
    expect(outcome.error.message.split("\n")).toEqual([
      `Cannot finish doomed: 3 workers or nodes died under it, the last one with the node ${N1}`,
      "- attempt 1: it died",
      "- attempt 2: it died",
      `- attempt 3 on ${N1}: the node was lost`,
    ]);
  } finally {
    await node.close(0);
  }
});
