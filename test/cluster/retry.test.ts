/** Jobs that are made once more, as new ones. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Client, type Job, RemoteData } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { startRedis } from "../store/support/redis.ts";
import { startNodeProcess } from "../support/cli.ts";
import { STORES, useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { dieOnce, tellJob, untilAborted } from "./fixtures/jobs.mjs";

const NO_JOB = "01a206b3-7096-71d8-b69f-6a08047f2293";

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: { readonly id?: string; readonly code?: string; readonly detail?: string };
}

async function retry({ url, token }: { url: string; token: string }, id: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${url}v1/jobs/${id}/retry`, { method: "POST", headers });
  const body = (await answer.json()) as Answer["body"];
  return { status: answer.status, location: answer.headers.get("location"), body };
}

const failed = async (job: Job<unknown>): Promise<string> => {
  await expect(job).rejects.toBeInstanceOf(Error);
  return job.id;
};

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let c: Client;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), queues: ["default", "gpu"], graceMs: 100 });
    c = cluster.client;
  });
  afterAll(() => cluster.close());
  const fresh = (): string => join(temporaryDirectory(), "file");
  const place = (): { url: string; token: string } => ({ url: cluster.urls[0]!, token: cluster.token });
  const get = async (path: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${cluster.token}` };
    return await (await fetch(`${cluster.urls[0]}${path}`, { headers })).json();
  };

  test.each([
    ["small", ""],
    ["large", "x".repeat(20_000)],
  ])("a job that failed runs once more, with %s arguments, as a new one", async (_size, ballast) => {
    const file = fresh();
    const failUnlessThere = (path: string, more: string): number => {
      if (!existsSync(path)) throw new Error("not there");
      return more.length;
    };
    const job = c.with({ queue: "gpu", priority: 7 }).call(failUnlessThere, file, ballast);
    await expect(job).rejects.toThrow("not there");
    writeFileSync(file, "");
    const { status, location, body } = await retry(place(), job.id);
    expect({ status, location }).toEqual({ status: 202, location: `/v1/jobs/${body.id}` });
    expect(body.id).not.toBe(job.id);
    expect(await c.result(body.id!)).toBe(ballast.length);
    const [before, after] = [await job.status(), await c.job(body.id!).status()];
    expect(after).toMatchObject({ queue: "gpu", priority: 7, label: before.label, state: "succeeded" });
    expect(before.state).toBe("failed");
  });

  test("so does one that was cancelled, before it began or while it ran; and again, and again", async () => {
    const waiting = c.with({ queue: "nobody" }).call(tellJob);
    const running = c.call(untilAborted);
    for (const job of [waiting, running]) {
      const end = failed(job);
      await job.cancel();
      await end;
      const again = c.job(await job.retry());
      expect((await again.status()).queue).toBe((await job.status()).queue);
      const end2 = failed(again);
      await again.cancel();
      await end2;
      expect(await again.retry()).not.toBe(again.id);
    }
    await c.cancelAll();
  });

  test("it goes where its data lies, as a call does", async () => {
    const data = await new RemoteData({ obj: [1, 2, 3], client: c }).save({ url: `retry/${store}` });
    const file = fresh();
    const lookFor = (path: string, _data: unknown): string => {
      if (!existsSync(path)) throw new Error("not there");
      return "there";
    };
    const job = c.call(lookFor, file, data);
    await failed(job);
    writeFileSync(file, "");
    const again = c.job(await job.retry());
    expect(await again).toBe("there");
    const { inputs, candidates } = await again.explain();
    expect(inputs).toEqual((await job.explain()).inputs);
    expect(inputs.map(({ url }) => url)).toEqual([`retry/${store}`]);
    expect(candidates.length).toBeGreaterThan(0);
    await data.delete();
  });

  test("one that waits for another waits for it again", async () => {
    const file = fresh();
    const first = c.call((): number => 3);
    const job = c.call(
      (path: string, n: number): number => {
        if (!existsSync(path)) throw new Error("not there");
        return n;
      },
      file,
      first,
    );
    await failed(job);
    writeFileSync(file, "");
    expect(await c.job(await job.retry())).toBe(3);
  });

  test("one that is unknown, has not ended, or has succeeded, is not retried, and the answer says why", async () => {
    expect(await retry(place(), NO_JOB)).toMatchObject({ status: 404, body: { code: "KS_NO_SUCH_JOB" } });
    expect((await retry(place(), "what")).status).toBe(400);
    const done = c.call(tellJob);
    await done;
    const waiting = c.with({ queue: "nobody" }).call(tellJob);
    for (const [job, why] of [
      [done, /it succeeded, and then what it ran is not kept \(call the function again/],
      [waiting, /it is queued \(wait for its end, or cancel it first\)/],
    ] as const)
      await expect(job.retry()).rejects.toMatchObject({
        code: "KS_USAGE",
        message: expect.stringMatching(why),
      });
    const end = failed(waiting);
    await waiting.cancel();
    await end;
  });

  test("how large a call is is told while it waits and runs, and of one that came to nothing", async () => {
    const captured = c.with({ queue: "nobody" }).call((text: string) => text.length, "x".repeat(10_000));
    const end = failed(captured);
    await captured.status();
    const expected = {
      call: {
        argumentBytes: expect.toSatisfy((bytes: number) => bytes >= 10_000 && bytes < 11_000),
        codec: "closure",
        functionBytes: expect.toSatisfy((bytes: number) => bytes > 0 && bytes < 1_000),
        unitBytes: [expect.toSatisfy((bytes: number) => bytes > 0 && bytes < 1_000)],
      },
    };
    expect(await get(`v1/jobs/${captured.id}/call`)).toEqual(expected);
    await captured.cancel();
    await end;
    expect(await get(`v1/jobs/${captured.id}/call`)).toEqual(expected);
    const done = c.call(tellJob);
    await done;
    expect(await get(`v1/jobs/${done.id}/call`)).toEqual({ call: null });
    expect(await get(`v1/jobs/${NO_JOB}/call`)).toMatchObject({ code: "KS_NO_SUCH_JOB" });
  });

  test("each death of a job is told", async () => {
    const job = c.call(dieOnce);
    expect(await job).toBe(2);
    expect(await get(`v1/jobs/${job.id}`)).toMatchObject({
      deaths: 1,
      pastDeaths: [expect.stringMatching(/^attempt 1 on .*SIGKILL/)],
    });
  });
});

describe("what is not there any more", () => {
  const options = useStore("redis");

  test("is said to be gone: the code, the spec", async () => {
    const { redisConnection } = options();
    await using cluster = await startCluster({ redisConnection: redisConnection! });
    const job = cluster.client.call((text: string): never => {
      throw new Error(text);
    }, "x".repeat(20_000));
    await failed(job);
    const { host, port, db } = parseRedisAddress(redisConnection!);
    const raw = new Redis({ host: host!, port: port!, db });
    onTestFinished(() => raw.disconnect());
    for (const [what, why] of [
      ["unit", /the code that it needs is not kept any more \(call the function again/],
      ["spec", /what it ran is not kept any more/],
    ] as const) {
      const keys = await raw.keys(`*:${what}:*`);
      expect(keys.length).toBeGreaterThan(0);
      await raw.unlink(keys);
      await expect(job.retry()).rejects.toMatchObject({
        code: "KS_STATE_LOST",
        message: expect.stringMatching(why),
      });
    }
  });

  test("is sent again by a call that needs it, together with code that is new", async () => {
    const { redisConnection } = options();
    await using cluster = await startCluster({ redisConnection: redisConnection! });
    const known = (n: number): number => n + 1;
    const twice = (n: number): number => known(known(n));
    expect(await cluster.client.call(known, 1)).toBe(2);
    const { host, port, db } = parseRedisAddress(redisConnection!);
    const raw = new Redis({ host: host!, port: port!, db });
    onTestFinished(() => raw.disconnect());
    await raw.unlink(await raw.keys("*:unit:*"));
    expect(await Promise.all([cluster.client.call(known, 1), cluster.client.call(twice, 1)])).toEqual([2, 3]);
  });

  test("a captured function is not retried by a node that bans them", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const tokenFile = join(temporaryDirectory(), "token");
    const flags = ["--redis-connection", redis.address, "--token-file", tokenFile];
    const [open, banning] = [
      await startNodeProcess(flags),
      await startNodeProcess([...flags, "--no-arbitrary"]),
    ];
    const client = new Client(open.url, { token: open.token, output: "off" });
    onTestFinished(() => client.close());
    const job = client.call((): never => {
      throw new Error("no");
    });
    await failed(job);
    expect(await retry(banning, job.id)).toMatchObject({
      status: 403,
      body: { code: "KS_ARBITRARY_BANNED" },
    });
    expect((await retry(open, job.id)).status).toBe(202);
    expect((await retry({ ...open, token: "wrong" }, job.id)).status).toBe(401);
  }, 30_000);
});
