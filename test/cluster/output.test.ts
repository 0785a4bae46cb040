import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Collected } from "../support/collect.ts";
import { untilAborted } from "./fixtures/jobs.mjs";
import { STORES, useStore } from "../support/stores.ts";

describe.each(STORES)("output on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2 });
  });
  afterAll(() => cluster.close());

  test.each([true, false])(
    "ten thousand lines arrive, in order, before the result (async: %s)",
    async (async) => {
      const output = new Collected();
      const c = cluster.client.with({ output: output.sinks, async });
      const count = await c.call(() => {
        for (let n = 0; n < 10_000; n += 1) {
          console.log(`line ${n}`);
          if (n % 10 === 0) console.error(`error ${n}`);
        }
        return 10_000;
      });
      expect(count).toBe(10_000);
      expect(output.text("stdout")).toBe(Array.from({ length: 10_000 }, (_, n) => `line ${n}\n`).join(""));
      expect(output.text("stderr")).toBe(
        Array.from({ length: 1_000 }, (_, n) => `error ${n * 10}\n`).join(""),
      );
    },
  );

  test("what child processes print to inherited stdio comes along, at its place", async () => {
    const output = new Collected();
    await cluster.client.with({ output: output.sinks }).call(() => {
      const { spawnSync } = process.getBuiltinModule("node:child_process");
      console.log("before");
      spawnSync("sh", ["-c", "echo out; echo err >&2"], { stdio: "inherit" });
      process.stdout.write("after\n");
    });
    expect(output.text("stdout")).toBe("before\nout\nafter\n");
    expect(output.text("stderr")).toBe("err\n");
  });

  test("bytes come as they are: progress bars, halves of characters, escape sequences, zeros", async () => {
    const output = new Collected();
    await cluster.client.with({ output: output.sinks }).call(() => {
      process.stdout.write("10%\r20%\r");
      process.stdout.write(Buffer.from([0xe2, 0x82]));
      process.stdout.write(Buffer.from([0xac]));
      process.stdout.write("\x1b[31mred\x1b[0m\0\0end");
    });
    expect(output.text("stdout")).toBe("10%\r20%\r€\x1b[31mred\x1b[0m\0\0end");
  });

  test("output appears while the function runs", async () => {
    const output = new Collected();
    const job = cluster.client.with({ output: output.sinks }).call(untilAborted);
    const end = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await expect.poll(() => output.text("stdout")).toBe("started\n");
    expect(await job.status()).toMatchObject({ state: "running" });
    await job.cancel();
    await end;
  });

  test("every line belongs to the job that printed it, however many run", async () => {
    const jobs = Array.from({ length: 200 }, (_, n) => {
      const output = new Collected();
      const job = cluster.client.with({ output: output.sinks }).call((k: number) => {
        console.log(`job ${k}`);
        return k;
      }, n);
      return { job, output };
    });
    for (const [n, { job, output }] of jobs.entries()) {
      expect(await job).toBe(n);
      expect(output.text("stdout")).toBe(`job ${n}\n`);
    }
  });

  test("what a job prints after its end is nobody's output, and in the node's log", async () => {
    const logged: string[] = [];
    const log = {
      debug: () => {},
      info: (text: string) => logged.push(text),
      warn: () => {},
      error: () => {},
    };
    const one = await startCluster({ ...options(), numWorkers: 1, log });
    try {
      await one.client.call(() => {
        setTimeout(() => console.log("late"), 20);
      });
      const output = new Collected();
      await one.client.with({ output: output.sinks }).call(async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        console.log("mine");
      });
      expect(output.text("stdout")).toBe("mine\n");
      expect(logged.join()).toContain("late");
    } finally {
      await one.close();
    }
  });

  test("a client that asks later sees the whole output of a job that still runs, once", async () => {
    const job = cluster.client.call(async () => {
      console.log("first");
      await new Promise((resolve) => setTimeout(resolve, 200));
      console.log("second");
    });
    const output = new Collected();
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
    await cluster.connect(0, { output: output.sinks }).result(job.id);
    expect(output.text("stdout")).toBe("first\nsecond\n");
  });

  test("output can be switched off, and is still there to be read", async () => {
    const job = cluster.client.with({ output: "off" }).call(() => console.log("quiet"));
    await job;
    const pieces: string[] = [];
    for await (const { text } of job.output()) pieces.push(text);
    expect(pieces.join("")).toBe("quiet\n");
  });
});
