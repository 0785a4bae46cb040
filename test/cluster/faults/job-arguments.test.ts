/** Jobs among the arguments of others, on more than one node. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeProcesses } from "../../support/node-processes.ts";
import { useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { whereWithLength, whileFile } from "./fixtures/job-arguments.mjs";

const LARGE = 50_000;
const redis = useStore("redis");
let clusters = 0;
const place = () => nodeProcesses(redis().redisConnection ?? "");
const flags = (): string[] => ["--cluster", `arguments-${++clusters}`, "--inline-result-limit", "10000"];

test("a call goes where the large result lies that is its argument", async () => {
  const nodes = place();
  const cluster = flags();
  const [one, two] = await Promise.all([nodes.start("node1", cluster), nodes.start("node2", cluster)]);
  for (const holder of ["node2", "node1"]) {
    const client = nodes.connect(holder === "node1" ? two : one);
    const bytes = client.with({ node: holder }).call((count: number) => Buffer.alloc(count, 7), LARGE);
    const told = client.call(whereWithLength, bytes);
    expect(await told).toEqual({ node: holder, length: LARGE });
    const { inputs, node } = await told.explain();
    expect({ inputs, node }).toMatchObject({
      inputs: [{ size: expect.any(Number), replicas: [holder] }],
      node: holder,
    });
  }
});

test("when the node is killed that took a call in, another one has it begun as soon as it can be", async () => {
  const nodes = place();
  const cluster = flags();
  const [one, two] = await Promise.all([
    nodes.start("node1", [...cluster, "--queue", "none"]),
    nodes.start("node2", cluster),
  ]);
  const gate = join(temporaryDirectory(), "gate");
  writeFileSync(gate, "");
  const client = nodes.connect(two);
  const first = client.call(whileFile, gate);
  await expect.poll(() => first.status()).toMatchObject({ state: "running" });
  const second = nodes.connect(one).call((text: string) => `after ${text}`, client.job<string>(first.id));
  expect(await second.status()).toMatchObject({ state: "queued" });
  one.command.kill("SIGKILL");
  await one.command.exited;
  rmSync(gate);
  expect(await first).toBe("gone");
  expect(await client.result(second.id)).toBe("after gone");
});
