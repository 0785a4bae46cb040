import { expect, test, vi } from "vitest";
import { KitchenError } from "../../src/core/errors.ts";
import { Hub } from "../../src/node/watching/hub.ts";
import { StoreWriter } from "../../src/node/jobs/store-writer.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { OutputPiece, Store } from "../../src/store/port.ts";
import { bytes, DEFAULTS, N1, register, runningJob, shown, state } from "../store/support/harness.ts";

const piece = (index: number): OutputPiece => ({
  attempt: 1,
  index,
  stream: "stdout",
  bytes: bytes(`${index} `),
  atMs: 0,
});

/** A writer whose store can be away. */
function writerOf(store: Store): { writer: StoreWriter; setAway: (isAway: boolean) => void } {
  let isAway = false;
  const ways: Pick<Store, "appendOutput" | "finish"> = {
    appendOutput: (...args) => (isAway ? refuse() : store.appendOutput(...args)),
    finish: (...args) => (isAway ? refuse() : store.finish(...args)),
  };
  const reached = new Proxy(store, {
    get: (target, name) => Reflect.get(name in ways ? ways : target, name),
  });
  const options = { store: reached, node: N1, hub: new Hub(), warn: () => {}, onFlushed: () => {} };
  return { writer: new StoreWriter(options), setAway: (is) => (isAway = is) };
}

async function refuse(): Promise<never> {
  throw new KitchenError("KS_UNAVAILABLE", "away");
}

test("while the store is away output and ends wait in their order, and go out when it is back", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  await register(store, N1);
  const id = await runningJob(store, N1);
  const { writer, setAway } = writerOf(store);
  void writer.output(id, piece(0));
  await writer.drained();
  setAway(true);
  for (const index of [1, 2, 3]) {
    void writer.output(id, piece(index));
    await expect(writer.drained()).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  }
  writer.finish({ id, attempt: 1, next: "succeeded", outcome: bytes("done") });
  await new Promise(setImmediate);
  expect(writer.isEnding(id, 1)).toBe(true);
  setAway(false);
  void writer.output(id, piece(4));
  await vi.waitFor(() => writer.drained());
  expect(await state(store, id)).toBe("succeeded");
  expect((await store.readOutput(id, 0)).map((kept) => shown(kept.bytes))).toEqual([
    "0 ",
    "1 ",
    "2 ",
    "3 ",
    "4 ",
  ]);
  expect(writer.isEnding(id, 1)).toBe(false);
  writer.close();
  await store.close();
});

test("what is said of a job waits until its output before is in the store, however late that is", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  await register(store, N1);
  const [printing, silent] = [
    await runningJob(store, N1, { queue: "a" }),
    await runningJob(store, N1, { queue: "b" }),
  ];
  const held: (() => void)[] = [];
  const slow: Pick<Store, "appendOutput" | "finish"> = {
    appendOutput: async (...args) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await store.appendOutput(...args);
    },
    finish: (...args) => store.finish(...args),
  };
  const reached = new Proxy(store, {
    get: (target, name) => Reflect.get(name in slow ? slow : target, name),
  });
  const options = { store: reached, node: N1, hub: new Hub(), warn: () => {}, onFlushed: () => {} };
  const writer = new StoreWriter(options);
  void writer.output(printing, piece(0));
  await vi.waitFor(() => expect(held).toHaveLength(1));
  void writer.output(printing, piece(1));
  for (const id of [printing, silent])
    writer.finish({ id, attempt: 1, next: "succeeded", outcome: bytes("done") });
  await vi.waitFor(async () => expect(await state(store, silent)).toBe("succeeded"));
  expect(await state(store, printing)).toBe("running");
  expect(held).toHaveLength(1);

  held[0]?.();
  await vi.waitFor(() => expect(held).toHaveLength(2));
  expect(await state(store, printing)).toBe("running");
  held[1]?.();
  await writer.drained();
  expect(await state(store, printing)).toBe("succeeded");
  expect((await store.readOutput(printing, 0)).map((kept) => shown(kept.bytes))).toEqual(["0 ", "1 "]);
  writer.close();
  await store.close();
});
