import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { ClusterStatus, RunNote } from "../../../src/core/activity.ts";
import { type NodeName, parseJobId, parseNodeName } from "../../../src/core/ids.ts";
import type { Gathered, RunsWanted } from "../../../src/node/activity/cluster-watch.ts";
import { Feed, type News } from "../../../src/node/activity/feed.ts";
import { ServerSentEvents } from "../../../src/node/http/server-sent.ts";

const N1 = parseNodeName("n1");
const RUNS_EACH = 300;

/** A cluster of one node on which 300 runs end between two questions. */
class BusyCluster {
  asked = 0;
  #seq = 0;

  async gather({ after }: RunsWanted): Promise<Gathered> {
    this.asked += 1;
    this.#seq += RUNS_EACH;
    const from = after(N1);
    const runs = Array.from({ length: Math.min(RUNS_EACH, this.#seq - from) }, (_, at) =>
      runNote(this.#seq - RUNS_EACH + at + 1),
    );
    const told = { runs, seq: this.#seq, skipped: this.#seq - from - runs.length };
    const status = { node: N1, nodes: [{ name: N1 }], nowMs: this.asked } as unknown as ClusterStatus;
    return { status, activities: new Map<NodeName, never>([[N1, told as never]]) };
  }
}

function runNote(seq: number): RunNote {
  const id = parseJobId("00000000-0000-7000-8000-000000000000");
  const times = { claimedAtMs: seq, begunAtMs: seq, endedAtMs: seq };
  return { seq, id, attempt: 1, label: "f", lane: "queue", slot: 1, queue: "q", end: "succeeded", ...times };
}

const seqsIn = (news: News): number[] =>
  news instanceof Error ? [] : news.runs.flatMap(({ runs }) => runs.map(({ seq }) => seq));
const skippedIn = (news: News): number => (news instanceof Error ? 0 : (news.runs[0]?.skipped ?? 0));

test("nobody is asked while nobody listens, and all are asked once for all who do", async () => {
  const cluster = new BusyCluster();
  const feed = new Feed(cluster, 1);
  expect(cluster.asked).toBe(0);
  const heard: News[][] = [[], []];
  const stops = heard.map((list) => feed.listen((news) => list.push(news())));
  await expect.poll(() => heard[1]!.length).toBeGreaterThan(5);
  expect(cluster.asked - heard[0]!.length).toBeLessThanOrEqual(1);
  for (const stop of stops) stop();
  const { asked } = cluster;
  const counts = heard.map(({ length }) => length);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(cluster.asked - asked).toBeLessThanOrEqual(1);
  expect(heard.map(({ length }) => length)).toEqual(counts);
});

test("who listens hears of each run once; who comes later, of the last ones; who pauses, of the newest and how many it missed", async () => {
  const feed = new Feed(new BusyCluster(), 1);
  const heard: number[] = [];
  const stop = feed.listen((news) => heard.push(...seqsIn(news())));
  await expect.poll(() => heard.length).toBeGreaterThan(1_500);
  expect(heard).toEqual(heard.map((_, at) => at + 1));

  let [calls, late] = [0, [] as number[]];
  const missed: number[] = [];
  const stopLate = feed.listen((news) => {
    calls += 1;
    if (calls !== 1 && calls !== 11) return;
    const told = news();
    late = seqsIn(told);
    missed.push(skippedIn(told));
  });
  await expect.poll(() => missed.length).toBe(2);
  expect(missed).toEqual([0, 9 * RUNS_EACH]);
  expect(late).toHaveLength(RUNS_EACH);
  stopLate();
  stop();
});

test("a store that does not answer is told of, and the news go on when it does", async () => {
  const cluster = new BusyCluster();
  let isAway = true;
  const gather = async (wanted: RunsWanted): Promise<Gathered> => {
    if (isAway) throw new Error("away");
    return await cluster.gather(wanted);
  };
  const heard: News[] = [];
  const stop = new Feed({ gather }, 1).listen((news) => heard.push(news()));
  await expect.poll(() => heard.at(-1)).toBeInstanceOf(Error);
  isAway = false;
  await expect.poll(() => heard.at(-1)).toHaveProperty("status");
  stop();
});

test("for a reader that does not read, no more than what was sent last is kept; then it gets the newest", async () => {
  const cluster = new BusyCluster();
  const feed = new Feed(cluster, 1);
  const responses: ServerResponse[] = [];
  let largest = 0;
  const server = createServer((_request, response) => {
    const events = new ServerSentEvents(response, () => stop());
    const stop = feed.listen((news) => {
      if (!events.hasRoom) return;
      const told = news();
      if (told instanceof Error) return;
      largest = Math.max(largest, JSON.stringify(told.runs).length + 1_000);
      events.send([["runs", told.runs]]);
    });
    responses.push(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  const [reader] = (await once(request, "response")) as [IncomingMessage];
  reader.pause();
  const [response] = responses;
  if (response === undefined) throw new Error("No response was opened");
  await expect.poll(() => response.writableLength, { timeout: 15_000 }).toBeGreaterThan(0);
  const { asked } = cluster;
  let most = 0;
  await expect
    .poll(() => {
      most = Math.max(most, response.writableLength);
      return cluster.asked;
    })
    .toBeGreaterThan(asked + 100);
  expect(most).toBeLessThan(2 * largest);

  let text = "";
  reader.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  reader.resume();
  await expect.poll(() => /"skipped":[1-9]\d{3}/.test(text)).toBe(true);
  reader.destroy();
  await expect.poll(() => response.destroyed).toBe(true);
});
