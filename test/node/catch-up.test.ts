import { expect, test } from "vitest";
import { FrameReader } from "../../src/codec/frames.ts";
import { parseClientEvent } from "../../src/codec/wire.ts";
import type { ClientEvent } from "../../src/core/messages.ts";
import { catchUp } from "../../src/node/watching/catch-up.ts";
import { Hub } from "../../src/node/watching/hub.ts";
import { Recovery } from "../../src/node/jobs/recovery.ts";
import { errorOutcome } from "../../src/node/jobs/outcomes.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import { DEFAULTS, N1, N2, newId, register, runningJob } from "../store/support/harness.ts";

const CLIENT = "client-1";
const MAX_BYTES = 1_000_000;

/** A hub with one client, and the events that it has been told. */
function hubWithClient(): { hub: Hub; events: ClientEvent[] } {
  const events: ClientEvent[] = [];
  const reader = new FrameReader(MAX_BYTES);
  const hub = new Hub();
  hub.connect(CLIENT, {
    room: () => undefined,
    send: (frames) => reader.push(frames, (body) => events.push(parseClientEvent(Buffer.from(body)))),
  });
  return { hub, events };
}

test("after a break waiting clients hear what ended, what streams, and what the store has lost", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const { hub, events } = hubWithClient();
  await register(store, N1);
  const [running, ended, streaming] = [
    await runningJob(store, N1, { queue: "a" }),
    await runningJob(store, N1, { queue: "b" }),
    await runningJob(store, N1, { queue: "c" }),
  ];
  const lost = newId();
  for (const id of [running, ended, streaming, lost]) hub.watch(CLIENT, id, true);
  const outcome = errorOutcome("KS_TIMEOUT", "too long");
  await store.finish(N1, [{ id: ended, attempt: 1, next: "failed", outcome }]);
  await store.markStreaming(N1, [{ id: streaming, attempt: 1 }]);

  await catchUp(store, hub, N2);
  await new Promise(setImmediate);

  expect(events).toHaveLength(3);
  const toldOf = (id: string): unknown => {
    const event = events.find((told) => "jobId" in told && told.jobId === id);
    return event?.type === "finished" ? Buffer.from(event.outcome).toString() : event;
  };
  expect(toldOf(ended)).toContain("too long");
  expect(toldOf(streaming)).toMatchObject({ type: "streaming", attempt: 1 });
  expect(toldOf(lost)).toContain("KS_STATE_LOST");
  expect(hub.awaited).toEqual([running, streaming]);
  await store.close();
});

test("a job that is on its way to the store while it comes back is not taken for lost", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const { hub, events } = hubWithClient();
  const id = newId();
  let answer: (reply: string) => void = () => {};
  hub.watch(CLIENT, id, true);
  const submitted = hub.whileUnanswered([id], new Promise<string>((resolve) => (answer = resolve)));

  await catchUp(store, hub, N2);
  await new Promise(setImmediate);
  expect(events).toEqual([]);

  answer("queued");
  await submitted;
  expect(hub.awaited).toEqual([id]);
  await store.close();
});

test("a job that ended elsewhere before the answer to its submit came is told when that has come", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const { hub, events } = hubWithClient();
  await register(store, N1);
  const id = await runningJob(store, N1, { queue: "a" });
  let answer: () => void = () => {};
  hub.watch(CLIENT, id, true);
  const submitted = hub.whileUnanswered([id], new Promise<void>((resolve) => (answer = resolve)));
  await store.finish(N1, [
    { id, attempt: 1, next: "failed", outcome: errorOutcome("KS_TIMEOUT", "too long") },
  ]);

  await catchUp(store, hub, N2);
  answer();
  await submitted;

  await expect.poll(() => events).toMatchObject([{ type: "finished", jobId: id, state: "failed" }]);
  expect(hub.awaited).toEqual([]);
  await store.close();
});

test("after a break clients hear what was printed meanwhile, and then the end, though its event comes first", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const { hub, events } = hubWithClient();
  let isRecovered: () => void = () => {};
  const recovered = new Promise<void>((resolve) => (isRecovered = resolve));
  const recovery = new Recovery({
    node: N2,
    store,
    hub,
    lease: { renew: async () => {} },
    writer: { retry: () => {} },
    dispatcher: { compare: async () => {}, wake: () => isRecovered() },
    blocked: { recheck: () => {} },
    warn: (message) => expect.unreachable(message),
  });
  await register(store, N1);
  const id = await runningJob(store, N1, { queue: "a" });
  hub.watch(CLIENT, id, true);
  const outcome = errorOutcome("KS_TIMEOUT", "too long");

  recovery.missEvents();
  const piece = { attempt: 1, index: 0, stream: "stdout", bytes: Buffer.from("hello"), atMs: 0 } as const;
  await store.appendOutput(N1, [{ id, piece }]);
  await store.finish(N1, [{ id, attempt: 1, next: "failed", outcome }]);
  recovery.finished({ type: "finished", id, state: "failed", outcome });
  recovery.begin();
  await recovered;
  await new Promise(setImmediate);

  expect(events).toMatchObject([
    { type: "output", jobId: id, index: 0 },
    { type: "finished", jobId: id, state: "failed" },
  ]);
  await store.close();
});
