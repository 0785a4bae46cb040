import { beforeEach, expect, test, vi } from "vitest";
import { newJobId } from "../../src/client/calls/new-job-id.ts";
import { parseClientEvent } from "../../src/codec/wire.ts";
import { FrameReader } from "../../src/codec/frames.ts";
import { Returning } from "../../src/node/http/returning.ts";
import { Hub } from "../../src/node/watching/hub.ts";

const CLIENT = "a-client";
const OUTCOME = new Uint8Array([1]);
let hub: Hub;
let returning: Returning;
beforeEach(() => {
  hub = new Hub();
  returning = new Returning(hub);
});

/** Opens a stream of the client; gives the kinds of what comes down. */
function open(): string[] {
  const kinds: string[] = [];
  const reader = new FrameReader(1_000_000);
  returning.opens(CLIENT);
  hub.connect(CLIENT, {
    room: () => undefined,
    send: (frames) => reader.push(frames, (body) => kinds.push(parseClientEvent(body).type)),
  });
  return kinds;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("the end of a job comes at once to a client whose stream is its first", async () => {
  const kinds = open();
  const id = newJobId();
  hub.watch(CLIENT, id, true);
  hub.finished(id, "succeeded", OUTCOME);
  await turn();
  expect(kinds).toEqual(["finished"]);
});

test("it waits until a client that is back has asked for what it missed, and comes behind that", async () => {
  open();
  const id = newJobId();
  hub.watch(CLIENT, id, true);
  const kinds = open();
  hub.finished(id, "succeeded", OUTCOME);
  await turn();
  expect(kinds).toEqual([]);
  await hub.tellFirst([id], async () => {
    returning.asks(CLIENT);
    await turn();
    void hub.output(id, { attempt: 1, index: 0, stream: "stdout", bytes: OUTCOME, atMs: 0 });
  });
  await turn();
  expect(kinds).toEqual(["output", "finished"]);
});

test("a client that never asks holds up nobody for long, however often it comes back", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    open();
    const id = newJobId();
    hub.watch(CLIENT, id, true);
    open();
    const kinds = open();
    hub.finished(id, "succeeded", OUTCOME);
    await turn();
    expect(kinds).toEqual([]);
    vi.advanceTimersByTime(5_000);
    await turn();
    expect(kinds).toEqual(["finished"]);
  } finally {
    vi.useRealTimers();
  }
});
