import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { parseItemsAnswer } from "../../src/codec/wire.ts";
import { parseJobId, parseNodeName } from "../../src/core/ids.ts";
import type { ItemsRequest } from "../../src/core/messages.ts";
import { ItemReaders } from "../../src/node/streams/item-readers.ts";
import { StreamedItems, UNREAD_MS } from "../../src/node/streams/streamed-items.ts";
import { Streams } from "../../src/node/streams/streams.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const shown = (items: readonly Uint8Array[]): string[] => items.map((item) => Buffer.from(item).toString());

function itemsOf(...texts: string[]): { items: StreamedItems; reads: (readonly [number, boolean])[] } {
  const reads: (readonly [number, boolean])[] = [];
  const items = new StreamedItems({
    codec: "json",
    onRead: (from, isOver) => reads.push([from, isOver]),
    onUnread: () => {},
  });
  for (const text of texts) items.push(bytes(text));
  return { items, reads };
}

const first = { from: 0, waitMs: 10_000, isOver: false };

test("items are given again until those behind them are asked for", async () => {
  const { items, reads } = itemsOf("a", "b");
  expect(shown((await items.read(first)).items)).toEqual(["a", "b"]);
  expect(shown((await items.read(first)).items)).toEqual(["a", "b"]);
  expect(shown((await items.read({ ...first, from: 1 })).items)).toEqual(["b"]);
  await expect(items.read(first)).rejects.toMatchObject({ code: "KS_STATE_LOST" });
  await expect(items.read({ ...first, from: 3 })).rejects.toMatchObject({ code: "KS_STATE_LOST" });
  expect(reads).toEqual([
    [0, false],
    [0, false],
    [1, false],
  ]);
  items.close();
});

test("a reader that is there first waits for the item, or for the end", async () => {
  const { items } = itemsOf();
  const waiting = items.read(first);
  items.push(bytes("a"));
  expect(await waiting).toEqual({ codec: "json", items: [bytes("a")], isComplete: false });
  const last = items.read({ ...first, from: 1 });
  items.complete();
  expect(await last).toEqual({ codec: "json", items: [], isComplete: true });
  items.close();
});

test("a reader that waits long enough gets an empty answer", async () => {
  const { items } = itemsOf();
  expect(await items.read({ ...first, waitMs: 1 })).toMatchObject({ items: [], isComplete: false });
  items.close();
});

const ID = parseJobId(randomUUID());
const NODE = parseNodeName("n1");

function readers(options: { isConnected: boolean; streams: Streams }): ItemReaders {
  const store = { read: async () => [undefined], nodes: async () => [] };
  return new ItemReaders({
    node: NODE,
    store,
    streams: options.streams,
    token: null,
    isConnected: () => options.isConnected,
    warn: () => {},
    returnMs: 1,
  });
}

const request: ItemsRequest = { client: "client-1", attempt: 1, from: 0, waitMs: 0, isOver: false };

test("a reader that is gone for good has the generator return; one that came back has not", async () => {
  for (const isConnected of [true, false]) {
    const streams = new Streams();
    const told = vi.fn<(from: number, isOver: boolean) => void>();
    streams.open({ id: ID, attempt: 1, codec: "json", read: told, cancel: () => {} }).push(bytes("a"));
    const all = readers({ isConnected, streams });
    const answer = parseItemsAnswer(await all.read(ID, request));
    expect(shown(answer.items)).toEqual(["a"]);
    all.left("client-1");
    if (!isConnected) await vi.waitFor(() => expect(told).toHaveBeenLastCalledWith(0, true));
    else await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toHaveBeenLastCalledWith(0, !isConnected);
    all.close();
    streams.close();
  }
});

test("a job that streams nowhere is said to be unknown", async () => {
  const streams = new Streams();
  await expect(readers({ isConnected: true, streams }).read(ID, request)).rejects.toMatchObject({
    code: "KS_NO_SUCH_JOB",
  });
});

test("what nobody reads for minutes is cancelled", () => {
  vi.useFakeTimers();
  try {
    const streams = new Streams();
    const cancel = vi.fn<(reason: string) => void>();
    streams.open({ id: ID, attempt: 1, codec: "json", read: () => {}, cancel });
    vi.advanceTimersByTime(UNREAD_MS - 1);
    expect(cancel).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(cancel).toHaveBeenCalledWith("nobody has read its items for 5 minutes");
    expect(streams.find(ID, 1)).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});
