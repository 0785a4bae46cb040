import { expect, test } from "vitest";
import { quantile } from "../../src/cli/bench/quantile.ts";
import { runCommand, startNodeProcess } from "../support/cli.ts";

test("bench measures calls and bytes, and leaves nothing behind", async () => {
  const { url, token } = await startNodeProcess();
  const env = { KITCHENSINK_URL: url, KITCHENSINK_TOKEN: token };
  const { code, stdout, stderr } = await runCommand(["bench", "--seconds", "1", "--json"], env);
  expect(code).toBe(0);
  expect(stderr).toContain("1 node with 1 worker");
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.map(({ unit }) => unit)).toEqual(["calls", "calls", "calls", "bytes", "bytes"]);
  for (const { perSecond, rounds } of rows) {
    expect(perSecond).toBeGreaterThan(0);
    expect(rounds).toHaveLength(3);
  }
  expect(rows[0]?.["p50Ms"]).toBeLessThanOrEqual(Number(rows[0]?.["p99Ms"]));
  expect((await runCommand(["data", "ls"], env)).stdout).toBe("");
}, 60_000);

test("where captured functions are banned, bench says so", async () => {
  const { url, token } = await startNodeProcess(["--embedded", "--no-arbitrary"]);
  const ended = await runCommand(["bench", "--url", url], { KITCHENSINK_TOKEN: token });
  expect(ended).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/kitchensink: .*banned/),
  });
});

test("a quantile is the value at its place among the sorted ones", () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([1, 2], 0.5)).toBe(1.5);
  expect(quantile([5], 0.99)).toBe(5);
  expect(quantile([], 0.5)).toBeNaN();
});
