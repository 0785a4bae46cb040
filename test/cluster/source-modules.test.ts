import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isLive } from "./fixtures/only-home.mjs";
import { echo, limitAll, limited, Refused, whoRuns } from "./fixtures/pool.mjs";

const POOL = new URL("./fixtures/pool.mjs", import.meta.url).href;
const HOLDER = fileURLToPath(new URL("./fixtures/holder.ts", import.meta.url));

let cluster: Cluster;
let c: Client;
beforeAll(async () => {
  cluster = await startCluster({ numWorkers: 1, modules: [HOLDER] });
  c = cluster.client.with({ modules: "source" });
});
afterAll(() => cluster.close());

test("a module with a live connection opens its own in the worker, and keeps it from call to call", async () => {
  const first = await c.call(echo, "one");
  const second = await c.call(echo, "two");
  expect(first).toEqual({ answer: "one", count: 1, pid: first.pid });
  expect(second).toEqual({ answer: "two", count: 2, pid: first.pid });
  expect(first.pid).not.toBe(process.pid);
});

test("without being asked, it goes as source too, because it cannot go by value", async () => {
  const { answer, pid } = await cluster.client.call(echo, "three");
  expect(answer).toBe("three");
  expect(pid).not.toBe(process.pid);
});

test("an instant call has it as well", async () => {
  expect(await c.with({ async: false }).call(echo, "four")).toMatchObject({ answer: "four" });
});

test("errors of the module's classes are the caller's own", async () => {
  expect(await c.call(limitAll, [1, 2])).toEqual([1, 2]);
  const thrown: unknown = await c.call(limited, 4).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(Refused);
  expect(thrown).toMatchObject({ message: "4 is too many", limit: 3 });
  expect((thrown as Error).stack).toContain(`at limited (${POOL}:${placeOf("new Refused")})`);
});

test("the module finds this package, and the job that it runs in", async () => {
  const job = c.call(whoRuns);
  expect(await job).toBe(job.id);
});

test("a module that throws where the worker evaluates it fails the job, with what it threw", async () => {
  const thrown: unknown = await c.call(isLive).catch((error: unknown) => error);
  expect(thrown).toMatchObject({
    code: "KS_MODULE_FAILED",
    message: expect.stringMatching(/^Cannot load the module file:.*only-home\.mjs as source: only at home$/),
    cause: expect.any(RangeError),
  });
});

test("modules that the node was started with do not leave it", async () => {
  await expect(c.call("makeProbe")).rejects.toMatchObject({
    code: "KS_CANNOT_CAPTURE",
    message: expect.stringMatching(/result → captured "server": a live Server/),
  });
});

test("another value for modules is refused", () => {
  // @ts-expect-error there is no such way
  expect(() => cluster.client.with({ modules: "text" })).toThrow(
    expect.objectContaining({
      code: "KS_USAGE",
      message: expect.stringContaining('expected "value" or "source"'),
    }),
  );
});

/** Line and column of a text in the module. */
function placeOf(text: string): string {
  const lines = readFileSync(fileURLToPath(POOL), "utf8").split("\n");
  const line = lines.findIndex((one) => one.includes(text));
  return `${line + 1}:${(lines[line]?.indexOf(text) ?? 0) + 1}`;
}
