import { onTestFinished } from "vitest";
import type { ClusterStatus, RunNote, RunsOfNode } from "../../src/core/activity.ts";

export interface Followed {
  readonly statuses: readonly ClusterStatus[];
  readonly runs: readonly (RunNote & { readonly node: string })[];
  skipped: number;
  /** Ended by the node. */
  isOver: boolean;
  close(): void;
}

/** Follows `GET /v1/activity` of a node, until the test is over. */
export async function follow(url: string, token: string): Promise<Followed> {
  const gone = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}v1/activity`, { headers, signal: gone.signal });
  if (response.status !== 200 || response.body === null) throw new Error(await response.text());
  const [statuses, runs] = [[] as ClusterStatus[], [] as (RunNote & { readonly node: string })[]];
  const followed: Followed = { statuses, runs, skipped: 0, isOver: false, close: () => gone.abort() };
  const take = (name: string, data: unknown): void => {
    if (name === "status") statuses.push(data as ClusterStatus);
    if (name !== "runs") return;
    for (const { node, runs: some, skipped } of data as RunsOfNode[]) {
      runs.push(...some.map((run) => ({ ...run, node })));
      followed.skipped += skipped;
    }
  };
  void readEvents(response.body, take)
    .catch(() => {})
    .finally(() => (followed.isOver = true));
  onTestFinished(() => gone.abort());
  return followed;
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  take: (name: string, data: unknown) => void,
): Promise<void> {
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
      take(name, JSON.parse(data));
    }
  }
}
