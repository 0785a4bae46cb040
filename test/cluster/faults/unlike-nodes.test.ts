import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KitchenError } from "kitchensink";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../../src/core/version.ts";
import { nodeProcesses, type NodeInProcess } from "../../support/node-processes.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { startRedis, type TestRedis } from "../../store/support/redis.ts";
import { mayTakeLong } from "../fixtures/jobs.mjs";
import { note, tellTime, tellWhenThere } from "./fixtures/jobs.mjs";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
}, 180_000);
afterAll(() => redis.stop());

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CLOCK = new URL("fixtures/clock.mjs", import.meta.url);
const HALF_AN_HOUR_MS = 30 * 60_000;
const LONG_MS = 60_000;
/** Longer than a lease of 6 s, with what sweeps it up. */
const PAST_LEASE_MS = 8_000;

test(
  "fault 18: two nodes' clocks are an hour apart: order, deadlines, leases and keeping are as ever",
  async () => {
    const nodes = nodeProcesses(redis.address);
    const start = async (name: string, offMs: number): Promise<NodeInProcess> => {
      const env = { NODE_OPTIONS: `--import ${CLOCK.href}`, CLOCK_MS: String(offMs) };
      const flags = [
        "--cluster",
        "clocks",
        "--env",
        "NODE_OPTIONS",
        "--env",
        "CLOCK_MS",
        "--result-ttl",
        "15s",
      ];
      return await nodes.start(name, flags, { env });
    };
    const slow = await start("slow", -HALF_AN_HOUR_MS);
    const fast = await start("fast", HALF_AN_HOUR_MS);
    const [c, other] = [nodes.connect(slow), nodes.connect(fast)];
    const times = await Promise.all(["slow", "fast"].map((node) => c.with({ node }).call(tellTime)));
    expect(Math.round((times[1]![0] - times[0]![0]) / HALF_AN_HOUR_MS)).toBe(2);
    expect(Math.round((times[1]![1] - times[0]![1]) / HALF_AN_HOUR_MS)).toBe(2);

    const kept = c.call(mayTakeLong, false);
    expect(await kept).toBe(false);
    const [held, order] = [join(temporaryDirectory(), "held"), join(temporaryDirectory(), "order")];
    const onSlow = c.with({ node: "slow" });
    const holder = onSlow.call(tellWhenThere, held);
    await expect.poll(() => holder.status().catch(() => undefined)).toMatchObject({ state: "running" });
    // By turns from both nodes: what the clock of either says would mix them up.
    const notes = [0, 5, 0, 5].map((priority, n) =>
      (n % 2 === 0 ? c : other).with({ node: "slow", priority }).call(note, order, n),
    );
    for (const job of notes)
      await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "queued" });
    const lost = other.with({ node: "fast" });
    await expect(lost.with({ timeoutMs: 200 }).call(mayTakeLong, true)).rejects.toMatchObject({
      code: "KS_TIMEOUT",
    });
    // Both hold their leases for longer than one, and the other one sweeps.
    await new Promise((resolve) => setTimeout(resolve, PAST_LEASE_MS));
    writeFileSync(held, "");
    expect(await holder).toEqual({ attempt: 1, node: "slow" });
    expect(await Promise.all(notes)).toEqual([0, 1, 2, 3]);
    const ran = readFileSync(order, "utf8").trim().split("\n").map(Number);
    expect(ran.slice(0, 2).toSorted()).toEqual([1, 3]);
    for (const { id } of notes)
      expect(await other.job(id).status()).toMatchObject({ state: "succeeded", attempt: 1 });

    expect(await kept.status()).toMatchObject({ state: "succeeded" });
    const again = join(temporaryDirectory(), "never");
    const taken = onSlow.call(tellWhenThere, again);
    taken.then(undefined, () => {});
    await expect.poll(() => taken.status().catch(() => undefined)).toMatchObject({ state: "running" });
    const free = c.call(tellWhenThere, again);
    free.then(undefined, () => {});
    await expect.poll(() => free.status().catch(() => undefined)).toMatchObject({ state: "running" });
    process.kill(fast.pid, "SIGKILL");
    await expect.poll(async () => (await c.job(free.id).status()).state, { timeout: 15_000 }).toBe("queued");
    expect(await c.nodes()).toMatchObject([{ name: "slow" }]);
    await expect
      .poll(
        () =>
          kept.status().then(
            () => "",
            (error: unknown) => (error instanceof KitchenError ? error.code : String(error)),
          ),
        { timeout: 20_000 },
      )
      .toBe("KS_NO_SUCH_JOB");
  },
  LONG_MS,
);

/** A build of this package that speaks another version of the protocol; gives the command's file. */
async function otherRelease(version: number): Promise<string> {
  const copy = temporaryDirectory();
  for (const part of ["package.json", "lua"]) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const bundle = await rolldown({
    input: Object.fromEntries(
      ["cli/main", "worker/child/entry", "data/thread/entry"].map((name) => [
        name,
        join(ROOT, `src/${name}.ts`),
      ]),
    ),
    platform: "node",
    external: (id) => !/^[./]|^uuid$/.test(id),
    plugins: [
      {
        name: "version",
        transform: (code, id) =>
          id.endsWith("src/core/version.ts")
            ? code.replace(/PROTOCOL_VERSION = \d+/, `PROTOCOL_VERSION = ${version}`)
            : undefined,
      },
    ],
  });
  await bundle.write({ dir: join(copy, "dist"), chunkFileNames: "parts/[name].js" });
  return join(copy, "dist/cli/main.js");
}

test("fault 32: a node of another protocol is refused when it joins, with both versions; alone it may start", async () => {
  const nodes = nodeProcesses(redis.address);
  const place = ["--cluster", "releases"];
  const old = await nodes.start("old", place);
  const main = await otherRelease(PROTOCOL_VERSION + 1);
  await expect(nodes.start("new", place, { main })).rejects.toThrow(
    `Cannot join the cluster "releases": its nodes speak version ${PROTOCOL_VERSION} of the protocol, this node version ${PROTOCOL_VERSION + 1}: install the same release on all`,
  );
  expect(await nodes.connect(old).call(mayTakeLong, false)).toBe(false);
  old.command.kill("SIGTERM");
  expect(await old.command.exited).toBe(0);
  const newer = await nodes.start("new", place, { main });
  await expect(nodes.start("old", place)).rejects.toThrow(
    `speak version ${PROTOCOL_VERSION + 1} of the protocol, this node version ${PROTOCOL_VERSION}`,
  );
  await expect(nodes.connect(newer).call(mayTakeLong, false)).rejects.toThrow(
    `it speaks version ${PROTOCOL_VERSION + 1} of the protocol, this client version ${PROTOCOL_VERSION}`,
  );
});
