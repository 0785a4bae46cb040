import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { KitchenError } from "../../src/core/errors.ts";
import type { UnitHash } from "../../src/core/ids.ts";
import { startNode } from "../../src/node/node.ts";
import type { RunningNode } from "../../src/node/running-node.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { NewJob, Store } from "../../src/store/port.ts";
import { bytes, claim, DEFAULTS, HEAD, N2, newJob, register, state, UNIT } from "../store/support/harness.ts";
import { additionSpec } from "./support/addition.ts";
import { nodeOptions } from "./support/node-options.ts";

const MODULE = fileURLToPath(new URL("../cluster/fixtures/functions.ts", import.meta.url));

interface Place {
  readonly store: Store;
  readonly node: RunningNode;
}

/** A node on an embedded store of its own, which outlives the node. */
async function place(): Promise<Place> {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const closeStore = store.close.bind(store);
  vi.spyOn(store, "close").mockResolvedValue();
  const node = await startNode({ ...nodeOptions(store), modules: [MODULE] });
  onTestFinished(async () => {
    await node.close(0);
    await closeStore();
  });
  return { store, node };
}

/** A call of `test.add`; one that may not be begun twice, unless it is said to be. */
function addition(units: readonly UnitHash[] = [], isIdempotent = false): NewJob {
  return newJob({ spec: additionSpec({ units, isIdempotent }), isAtMostOnce: !isIdempotent });
}

async function submit(store: Store, job: NewJob): Promise<void> {
  const units = new Map([[UNIT, bytes("code")]]);
  await store.submit({ watcher: HEAD, jobs: [job], units, needs: [UNIT] });
}

/** It waits for the next node, which nobody holds anything against. */
async function expectGivenBack(store: Store, job: NewJob): Promise<void> {
  await register(store, N2);
  expect((await store.sweep(N2, 3)).exhausted).toEqual([]);
  expect(await claim(store, N2)).toMatchObject([{ id: job.id, attempt: 2, deaths: 0 }]);
}

/** Has the store's answers to one of its questions wait until they are let go. */
function holdAnswers(store: Store, method: "claim" | "units"): () => void {
  let letGo!: () => void;
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const ask = store[method].bind(store) as (of: never) => Promise<never>;
  vi.spyOn(store, method).mockImplementation(async (of: unknown) => {
    const answer = await ask(of as never);
    await released;
    return answer;
  });
  return letGo;
}

test("a job goes back when the store is away as its code is asked for, and runs when it is back", async () => {
  const { store } = await place();
  const away = new KitchenError("KS_UNAVAILABLE", "The store does not answer");
  vi.spyOn(store, "units").mockRejectedValueOnce(away);
  const job = addition([UNIT], true);
  await submit(store, job);
  await expect.poll(() => state(store, job.id)).toBe("succeeded");
  expect((await store.read([job.id]))[0]).toMatchObject({ attempt: 2, deaths: 0 });
});

test("a job whose code is not kept any more fails", async () => {
  const { store } = await place();
  vi.spyOn(store, "units").mockResolvedValueOnce([undefined]);
  const job = addition([UNIT], true);
  await submit(store, job);
  await expect.poll(() => state(store, job.id)).toBe("failed");
});

test.each(["claim", "units"] as const)(
  "a node that stops while the answer to %s is on its way gives back what it claimed, as if it had not",
  async (method) => {
    const { store, node } = await place();
    const letGo = holdAnswers(store, method);
    const job = addition([UNIT]);
    await submit(store, job);
    await expect.poll(() => state(store, job.id)).toBe("running");
    const closed = node.close(0);
    // By then its worker was killed, and may not have ended.
    await new Promise(setImmediate);
    letGo();
    await closed;
    await expectGivenBack(store, job);
  },
);

test("a node that stops does not wait for the code of a job that it gives back", async () => {
  const { store, node } = await place();
  const letGo = holdAnswers(store, "units");
  const job = addition([UNIT]);
  await submit(store, job);
  await expect.poll(() => state(store, job.id)).toBe("running");
  await node.close(0);
  letGo();
  await new Promise(setImmediate);
  await expectGivenBack(store, job);
});
