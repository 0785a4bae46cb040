/** POST /v1/watch, as a client uses it that comes back: what it had is skipped, and nothing else. */
import { randomUUID } from "node:crypto";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FrameReader } from "../../src/codec/frames.ts";
import { parseClientEvent } from "../../src/codec/wire.ts";
import { STORES, useStore } from "../support/stores.ts";
import { printOfAttempt } from "./fixtures/jobs.mjs";

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(options());
  });
  afterAll(() => cluster.close());

  /** What the node sends of a job that has ended to a client which says that it had so many pieces of its output. */
  async function missed(id: string, from: number): Promise<string> {
    const url = cluster.urls[0] ?? "";
    const headers = { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" };
    const client = randomUUID();
    const stream = await fetch(`${url}v1/events?client=${client}`, { headers });
    const body = JSON.stringify({ client, jobs: [{ id, from }] });
    expect((await fetch(`${url}v1/watch`, { method: "POST", headers, body })).status).toBe(204);
    const frames = new FrameReader(1_000_000);
    let [text, hasEnded] = ["", false];
    for await (const chunk of stream.body ?? []) {
      frames.push(chunk, (frame) => {
        const event = parseClientEvent(frame);
        if (event.type === "output") text += Buffer.from(event.bytes).toString();
        hasEnded ||= event.type === "finished";
      });
      if (hasEnded) break;
    }
    return text;
  }

  test("who had the first piece gets what came behind it", async () => {
    const job = cluster.client.with({ output: "off" }).call(printOfAttempt, 1);
    await job;
    expect(await missed(job.id, 0)).toBe("attempt 1\n");
    expect(await missed(job.id, 1)).toBe("");
  });

  test("who had pieces of an attempt that was replaced gets all of the next one", async () => {
    const job = cluster.client.with({ output: "off" }).call(printOfAttempt, 2);
    await job;
    expect(await missed(job.id, 1)).toBe("attempt 2\n");
  });
});
