/** The text of the line that threw, which the pages of jobs show. */
import { fileURLToPath } from "node:url";
import type { Job } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { throwUntilAttempt } from "./fixtures/jobs.mjs";

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.ts", import.meta.url));
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ modules: [FUNCTIONS] });
});
afterAll(() => cluster.close());

async function sourceOf(job: Job<unknown>): Promise<unknown> {
  await expect(job).rejects.toBeDefined();
  const headers = { authorization: `Bearer ${cluster.token}` };
  const answer = await fetch(`${cluster.urls[0]}v1/jobs/${job.id}`, { headers });
  return ((await answer.json()) as { error: { source?: string } }).error.source;
}

test("of a captured function it is the line as it ran, wherever in the function it is", async () => {
  const { client } = cluster;
  const line = "if (attempt < last) throw new Error(`attempt ${attempt}`);";
  expect(await sourceOf(client.call(throwUntilAttempt, 9))).toBe(line);
  const inner = (n: number): number => {
    if (n > 1) throw new RangeError("too many");
    return n;
  };
  const outer = (n: number): number => inner(n) + 1;
  expect(await sourceOf(client.call(outer, 2))).toMatch(
    /^if \(n > 1\) *\{? *$|throw new RangeError\("too many"\)/,
  );
  expect(
    await sourceOf(
      client.call(() => {
        throw new Error("at once");
      }),
    ),
  ).toMatch(/throw new Error\("at once"\)/);
});

test("of a registered function it is the line of its file", async () => {
  expect(await sourceOf(cluster.client.with({ rpcName: "test" }).call("buy", "hats"))).toBe(
    "throw new OutOfStock(`no more ${what}`, 0);",
  );
});

test("where a built-in function threw it is the line that called it", async () => {
  expect(await sourceOf(cluster.client.call((text: string) => JSON.parse(text) as unknown, "{"))).toContain(
    "JSON.parse(text)",
  );
});

test("it is left out where nobody knows it, and of what is no error", async () => {
  const { client } = cluster;
  expect(
    await sourceOf(
      client.call(() => {
        // oxlint-disable-next-line typescript/only-throw-error -- what may happen
        throw "text";
      }),
    ),
  ).toBeUndefined();
  expect(
    await sourceOf(
      client.call(() => {
        throw Object.assign(new Error("bare"), { stack: "bare" });
      }),
    ),
  ).toBeUndefined();
});

test("a message that looks like a frame leads to no file", async () => {
  const frame = `\n    at f (${FUNCTIONS}:1:1)`;
  expect(await sourceOf(cluster.client.with({ rpcName: "test" }).call("buy", frame))).toBe(
    "throw new OutOfStock(`no more ${what}`, 0);",
  );
});
