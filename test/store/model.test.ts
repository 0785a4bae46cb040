import fc from "fast-check";
import { expect, test } from "vitest";
import type { NodeName } from "../../src/core/ids.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { StoreEvent } from "../../src/store/port.ts";
import type { Subject } from "./model/history.ts";
import { checkHistories, howMany } from "./model/run.ts";
import { SETTINGS, WATCHERS } from "./model/steps.ts";
import { DEFAULTS } from "./support/harness.ts";

const many = howMany(300);

test(
  "the embedded store does as the model says, whatever happens in whatever order",
  async () => {
    expect(await checkHistories(fc.constantFrom(...WATCHERS), many, withStore)).toBeGreaterThan(0);
  },
  many.timeoutMs,
);

/** The embedded store delivers to one node only. */
async function withStore(listener: NodeName, body: (subject: Subject) => Promise<void>): Promise<void> {
  let nowMs = Date.UTC(2026, 0, 1);
  const store = openMemoryStore({ cluster: "model", ...DEFAULTS, ...SETTINGS, now: () => nowMs });
  let events: StoreEvent[] = [];
  await store.subscribe(listener, (event) => events.push(event));
  const heard = async (): Promise<ReadonlyMap<NodeName, readonly StoreEvent[]>> => {
    const all = new Map([[listener, events]]);
    events = [];
    return all;
  };
  const pass = async (ms: number): Promise<void> => void (nowMs += ms);
  const subject = { nowMs, isExact: true, storeOf: () => store, pass, heard, left: async () => [] };
  try {
    await body(subject);
  } finally {
    await store.close();
  }
}
