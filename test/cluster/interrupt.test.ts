/** Ctrl-C in a program that waits for jobs. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { JobId } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { untilAborted } from "./fixtures/jobs.mjs";
import { startRedis } from "../store/support/redis.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ numWorkers: 2, graceMs: 100 });
});
afterAll(() => cluster.close());

/** A job of this process, which the programs can only look at; cancelled with the test. */
async function submittedElsewhere(): Promise<JobId> {
  const job = cluster.client.with({ output: "off" }).call(untilAborted);
  onTestFinished(async () => {
    const end = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED", message: /the test is over/ });
    await job.cancel("the test is over");
    await end;
  });
  await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  return job.id;
}

/** Runs until its signal is aborted, and says when it runs. */
const WAITING = `async () => {
  const { currentJob } = await import("kitchensink");
  const { id, signal } = currentJob();
  console.log("runs " + id);
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}`;

class Program {
  readonly #child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout = "";
  stderr = "";

  /** `on`: the cluster that its client `c` talks to. */
  constructor(body: string, options: object = {}, on: Cluster = cluster) {
    const client = `new Client(${JSON.stringify(on.urls[0])}, ${JSON.stringify(options)})`;
    const source = `import { Client } from "kitchensink"; const c = ${client}; const waiting = ${WAITING};\n${body}`;
    this.#child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      env: { PATH: process.env["PATH"], KITCHENSINK_TOKEN: on.token },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = once(this.#child, "close").then(([code, signal]) => ({ code, signal }));
    onTestFinished(() => void this.#child.kill("SIGKILL"));
  }

  async says(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.stdout + this.stderr, { timeout: 10_000 }).toMatch(text);
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** Lets on a program that reads from stdin. */
  goOn(): void {
    this.#child.stdin?.end("go on");
  }

  /** Ids of the jobs that say that they run. */
  get running(): string[] {
    return [...this.stdout.matchAll(/runs (\S+)/g)].map(([, id = ""]) => id);
  }
}

test("the first one cancels what the program waits for, which goes on with KS_CANCELLED", async () => {
  const program = new Program(`
    const instant = c.with({ async: false });
    const ends = await Promise.allSettled([c.call(waiting), c.call(waiting), c.call(waiting), instant.call(waiting)]);
    console.log(ends.map(({ reason }) => reason.code + ", " + reason.message).join("\\n"));
    console.log(await c.call(() => "goes on"));`);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(3);
  program.interrupt();
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.stderr).toMatch(/Cancelling \d jobs \(Ctrl-C again to leave\)/);
  expect(program.stdout.match(/KS_CANCELLED, The job was cancelled: Ctrl-C/g)).toHaveLength(3);
  expect(program.stdout).toMatch(/KS_CANCELLED, The call was cancelled: Ctrl-C/);
  expect(program.stdout).toMatch(/goes on\n$/);
});

test("a program that does not catch it ends with its error", async () => {
  const program = new Program("await c.map(waiting, [1, 2]);");
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(2);
  program.interrupt();
  expect(await program.exited).toEqual({ code: 1, signal: null });
  expect(program.stderr).toMatch(/KitchenError: The job was cancelled: Ctrl-C/);
  for (const id of program.running)
    await expect.poll(() => cluster.client.job(id).status()).toMatchObject({ state: "cancelled" });
});

test("the second one leaves at once, and the job is cancelled all the same", async () => {
  const program = new Program(`
    await c.call(async () => {
      console.log("runs " + (await import("kitchensink")).currentJob().id);
      await new Promise(() => {});
    });`);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  program.interrupt();
  await program.says("Ctrl-C again");
  program.interrupt();
  expect(await program.exited).toEqual({ code: null, signal: "SIGINT" });
  const [id = ""] = program.running;
  await expect.poll(() => cluster.client.job(id).status()).toMatchObject({ state: "cancelled" });
});

test("while nothing is waited for it ends the program as ever", async () => {
  const program = new Program(`
    await c.call(() => 1);
    console.log("idle");
    setInterval(() => {}, 1_000);`);
  await program.says("idle");
  program.interrupt();
  expect(await program.exited).toEqual({ code: null, signal: "SIGINT" });
});

test("a program that listens itself hears it too, and decides when it ends", async () => {
  const program = new Program(`
    process.on("SIGINT", () => console.log("heard"));
    await c.call(waiting).catch(({ code }) => console.log(code));
    process.exit(7);`);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  program.interrupt();
  expect(await program.exited).toEqual({ code: 7, signal: null });
  expect(program.stdout).toMatch(/heard/);
  expect(program.stdout).toMatch(/KS_CANCELLED/);
});

test.each(["on", "once"])(
  "right after a wait, a program's own listener (%s) hears it once, and nothing is ended",
  async (on) => {
    const program = new Program(`
    process.${on}("SIGINT", () => console.log("heard"));
    await c.call(() => 1);
    console.log("just waited");
    await new Promise((resolve) => process.stdin.once("data", resolve));
    console.log("goes on");
    process.exit(7);`);
    await program.says("just waited");
    program.interrupt();
    await program.says("heard");
    program.goOn();
    expect(await program.exited).toEqual({ code: 7, signal: null });
    expect(program.stdout.match(/heard/g)).toHaveLength(1);
  },
);

test("a program's own listener hears the second one once", async () => {
  const program = new Program(`
    process.on("SIGINT", () => console.log("heard"));
    await c.call(async () => {
      console.log("runs " + (await import("kitchensink")).currentJob().id);
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }).catch(({ code }) => console.log(code));
    await new Promise((resolve) => process.stdin.once("data", resolve));
    process.exit(7);`);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  program.interrupt();
  await program.says("heard");
  program.interrupt();
  await program.says(/heard[^]*heard/);
  program.goOn();
  expect(await program.exited).toEqual({ code: 7, signal: null });
  expect(program.stdout.match(/heard/g)).toHaveLength(2);
});

test('with interrupt: "leave" it ends the program, and the jobs go on', async () => {
  const program = new Program("await c.call(waiting);", { interrupt: "leave" });
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  program.interrupt();
  expect(await program.exited).toEqual({ code: null, signal: "SIGINT" });
  const [id = ""] = program.running;
  expect(await cluster.client.job(id).status()).toMatchObject({ state: "running" });
  await cluster.client.job(id).cancel();
});

test.each(["c.result(id)", "c.job(id)"])(
  "a program that only looks at a job of others (%s) is ended as ever, and the job goes on",
  async (look) => {
    const id = await submittedElsewhere();
    const program = new Program(`
      const id = ${JSON.stringify(id)};
      const end = Promise.resolve(${look});
      await c.job(id).status();
      console.log("looks, heard by " + process.listenerCount("SIGINT"));
      await end;`);
    await program.says("looks, heard by 0");
    program.interrupt();
    expect(await program.exited).toEqual({ code: null, signal: "SIGINT" });
    expect(program.stderr).toBe("");
    expect(await cluster.client.job(id).status()).toMatchObject({ state: "running" });
  },
);

test("of jobs of its own and of others, the first one cancels its own and says so; the next one ends it", async () => {
  const id = await submittedElsewhere();
  const program = new Program(`
    const other = c.result(${JSON.stringify(id)});
    await c.call(waiting).catch(({ code }) => console.log(code));
    await other;`);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  program.interrupt();
  await program.says("KS_CANCELLED");
  expect(program.stderr).toContain(
    "Cancelling the job that this program submitted; 1 other goes on (Ctrl-C again to leave)",
  );
  program.interrupt();
  expect(await program.exited).toEqual({ code: null, signal: "SIGINT" });
  expect(await cluster.client.job(id).status()).toMatchObject({ state: "running" });
});

test("a job that it retried is its own", async () => {
  const program = new Program(`
    const job = c.call(waiting);
    await new Promise((resolve) => process.stdin.once("data", resolve));
    await job.cancel();
    await job.catch(() => {});
    await c.result(await job.retry()).catch(({ code, message }) => console.log(code, message));`);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  program.goOn();
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(2);
  program.interrupt();
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.stdout).toContain("KS_CANCELLED The job was cancelled: Ctrl-C");
});

test("a program that calls on at once has each of its jobs cancelled by a first one", async () => {
  const program = new Program(`
    for (let n = 1; n <= 3; n += 1) await c.call(waiting).catch(({ code }) => console.log(code));
    console.log("goes on");`);
  for (const n of [1, 2, 3]) {
    await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(n);
    program.interrupt();
  }
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.stdout).toMatch(/goes on\n$/);
});

test("that a job cannot be cancelled is said, with why, and the next one leaves", async () => {
  const redis = await startRedis();
  const broken = await startCluster({ redisConnection: redis.address, numWorkers: 1, graceMs: 100 });
  onTestFinished(async () => {
    await broken.close();
    await redis.stop();
  });
  const program = new Program("await c.call(waiting);", {}, broken);
  await expect.poll(() => program.running, { timeout: 10_000 }).toHaveLength(1);
  await redis.stop();
  program.interrupt();
  await program.says(/^Cannot cancel the job, it goes on: .*Redis.* \(Ctrl-C again to leave\)$/m);
  program.interrupt();
  expect(await program.exited).toEqual({ code: null, signal: "SIGINT" });
});
