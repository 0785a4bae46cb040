import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, KitchenError } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newJobId } from "../../../src/client/calls/new-job-id.ts";
import { encodeSpec, encodeSubmission, MEDIA_TYPE } from "../../../src/codec/wire.ts";
import type { JobId } from "../../../src/core/ids.ts";
import type { SubmittedJob } from "../../../src/core/messages.ts";
import { note, untilAborted } from "../fixtures/jobs.mjs";
import { RunningCommand } from "../../support/cli.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { STORES, useStore } from "../../support/stores.ts";

/** A queue that no node serves. */
const NOBODY = "nobody";
const MODULE = new URL("../fixtures/notes.ts", import.meta.url).pathname;

/** A call of `note` in the module, as a client without this project's library would make it. */
function noteCall(id: JobId, file: string): SubmittedJob {
  const spec = encodeSpec({
    namespace: "notes",
    name: "note",
    label: "notes.note",
    units: [],
    codec: "json",
    fn: null,
    args: Buffer.from(JSON.stringify([file])),
    timeoutMs: 0,
    retries: 0,
    streamsOutput: false,
    retryDelayMs: 0,
    ttlMs: 0,
    isIdempotent: true,
    after: [],
    trace: null,
  });
  return { id, queue: "default", priority: 0, spec, inputs: [] };
}

describe.each(STORES)("submits, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    const nodes = store === "redis" ? 2 : 1;
    cluster = await startCluster({ ...options(), nodes, modules: [MODULE], queueLimit: 10, graceMs: 100 });
  });
  afterAll(() => cluster.close());

  const post = (node: number, jobs: readonly SubmittedJob[]): Promise<Response> =>
    fetch(new URL("/v1/jobs", cluster.urls[node % cluster.urls.length]), {
      method: "POST",
      headers: { authorization: `Bearer ${cluster.token}`, "content-type": MEDIA_TYPE },
      body: new Uint8Array(encodeSubmission({ client: "submits-test", units: new Map(), jobs })),
    });

  test("fault 19: the same submit 100 times at once: one job, and it runs once", async () => {
    const file = join(temporaryDirectory(), "runs");
    const [id, other] = [newJobId(), newJobId()];
    const job = noteCall(id, file);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => post(at, [job])));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(await cluster.client.result(id)).toBe("noted");
    await Promise.all(Array.from({ length: 10 }, (_, at) => post(at, [job, noteCall(other, file)])));
    await cluster.client.result(other);
    expect(readFileSync(file, "utf8")).toBe("x\nx\n");
  });

  test("fault 19: the same id with another payload: 409, and the first one stays as it was", async () => {
    const file = join(temporaryDirectory(), "runs");
    const [id, other] = [newJobId(), newJobId()];
    expect((await post(0, [noteCall(id, file)])).status).toBe(202);
    const refused = await post(1, [noteCall(other, file), noteCall(id, "/elsewhere")]);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: "KS_CONFLICT", detail: expect.stringContaining(id) });
    expect(await cluster.client.result(id)).toBe("noted");
    await expect(cluster.client.job(other).status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
    expect(readFileSync(file, "utf8")).toBe("x\n");
  });

  test("fault 21: arguments over the limit: 413 before anything is queued, and calls beside it are not hurt", async () => {
    const large = new Uint8Array(64 * 1024 * 1024 + 1);
    const c = cluster.client.with({ codec: "structured" });
    const [before, over, behind] = [
      c.call((n: number) => n, 1),
      c.with({ queue: NOBODY }).call((bytes: Uint8Array) => bytes.length, large),
      c.call((n: number) => n, 3),
    ];
    const refused = expect(over).rejects.toMatchObject({
      code: "KS_TOO_LARGE",
      message: expect.stringContaining("64 MiB"),
    });
    expect([await before, await behind]).toEqual([1, 3]);
    await refused;
    await expect(over.status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
    const half = encodeSubmission({
      client: "submits-test",
      units: new Map(),
      jobs: [noteCall(newJobId(), "x")],
    });
    const answer = await fetch(new URL("/v1/jobs", cluster.urls[0]), {
      method: "POST",
      headers: { authorization: `Bearer ${cluster.token}`, "content-type": MEDIA_TYPE },
      body: Buffer.concat([half, large]),
    });
    expect(answer.status).toBe(413);
    expect(await cluster.client.cancelAll()).toBe(0);
  });

  test("fault 22: a queue at its limit: 429 and Retry-After, the whole request refused, a client's calls while there is room, and room when jobs have gone", async () => {
    const c = cluster.client.with({ queue: NOBODY });
    const waiting = Array.from({ length: 8 }, () => c.call(untilAborted));
    const ends = Promise.allSettled(waiting);
    await Promise.all(waiting.map((job) => job.status()));
    const more = Array.from({ length: 4 }, () => c.call(untilAborted));
    const moreEnds = Promise.allSettled(more);
    for (const refused of more.slice(2))
      await expect(refused).rejects.toMatchObject({
        code: "KS_BUSY",
        message: expect.stringMatching(
          /Cannot take the call: 10 jobs wait in the queue "nobody", and its limit is 10 \(.*--queue-limit\)/,
        ),
      });
    await Promise.all(more.slice(0, 2).map((job) => job.cancel()));
    const jobs = Array.from({ length: 3 }, () => ({ ...noteCall(newJobId(), "x"), queue: NOBODY }));
    const refused = await post(0, jobs);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      code: "KS_BUSY",
      detail: expect.stringContaining('Cannot take any of these 3 calls: 8 jobs wait in the queue "nobody"'),
    });
    await waiting[0]!.cancel();
    expect((await post(1, jobs)).status).toBe(202);
    expect(await cluster.client.cancelAll()).toBe(10);
    await Promise.all([ends, moreEnds]);
  });

  test("fault 31: cancel races completion: exactly one wins, and all who ask are told the same", async () => {
    const c = cluster.client;
    const reader = cluster.connect(cluster.urls.length - 1);
    const done = c.call(() => "done");
    await done;
    await done.cancel();
    expect((await done.status()).state).toBe("succeeded");
    const never = c.with({ queue: NOBODY }).call(() => "done");
    await never.status();
    await never.cancel();
    await expect(never).rejects.toMatchObject({ code: "KS_CANCELLED" });
    const states = new Set<string>();
    let delayMs = 1;
    for (let round = 0; round < 80; round += 1) {
      const job = c.call(() => "done");
      const heard = Promise.allSettled([job, reader.result(job.id).catch(again(reader, job.id))]);
      const sentAtMs = performance.now();
      while (performance.now() - sentAtMs < delayMs) await new Promise(setImmediate);
      await job.cancel();
      const [own, other] = await heard;
      const state = own.status === "fulfilled" ? "succeeded" : "cancelled";
      expect(state === "succeeded" ? own : (own as PromiseRejectedResult).reason).toMatchObject(
        state === "succeeded" ? { value: "done" } : { code: "KS_CANCELLED" },
      );
      expect(other.status).toBe(own.status);
      expect(await job.status()).toMatchObject({ state });
      states.add(state);
      // So that the next one comes closer to the end.
      delayMs = Math.min(100, Math.max(0.05, delayMs * (state === "succeeded" ? 0.8 : 1.3)));
    }
    expect([...states].toSorted()).toEqual(["cancelled", "succeeded"]);
  }, 60_000);
});

/** Who asks at once may be faster than the submit. */
const again =
  (client: Client, id: string) =>
  async (error: unknown): Promise<unknown> => {
    if (!(error instanceof KitchenError) || error.code !== "KS_NO_SUCH_JOB") throw error;
    return client.result(id).catch(again(client, id));
  };

test("fault 22: the limit is one of kitchensink start", async () => {
  const wrong = new RunningCommand(["start", "--embedded", "--queue-limit", "0"]);
  expect(await wrong.exited).not.toBe(0);
  expect(wrong.stderr).toContain('Not a value for --queue-limit: "0"');
  const command = new RunningCommand([
    "start",
    "--embedded",
    "--node-port",
    "0",
    "--datadir",
    temporaryDirectory(),
    "--queue-limit",
    "1",
    "--no-token",
  ]);
  try {
    await command.says("Ctrl-C stops it");
    const client = new Client(/url +(\S+)/.exec(command.stdout)?.[1] ?? "", { output: "off", queue: NOBODY });
    const waiting = client.call(note, "x");
    waiting.catch(() => {});
    await waiting.status();
    await expect(client.call(note, "x")).rejects.toMatchObject({ code: "KS_BUSY" });
    await client.close();
  } finally {
    command.kill("SIGTERM");
    await command.exited;
  }
});
