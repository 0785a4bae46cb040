import { expect, onTestFinished, test, vi } from "vitest";
import { Lease, type LeaseOptions } from "../../src/node/lease.ts";
import { termsOf } from "../../src/node/options.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { ClusterTerms } from "../../src/store/membership.ts";
import type { Store } from "../../src/store/port.ts";
import { DEFAULTS, N1, N2, N3, newJob, register, submit, TERMS } from "../store/support/harness.ts";

const leaseOf = (store: Store, options: Partial<LeaseOptions> = {}): Lease =>
  new Lease({
    store,
    name: N2,
    cluster: "default",
    incarnation: "n2 1",
    terms: TERMS,
    leaseMs: 60_000,
    maxDeaths: 3,
    facts: () => "{}",
    onLapsed: async () => {},
    onExhausted: () => {},
    onUnplaced: () => {},
    onReady: () => {},
    onJoined: async () => {},
    onBeat: () => {},
    warn: () => {},
    ...options,
  });

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

test.each<[string, ClusterTerms, ClusterTerms, RegExp]>([
  [
    "another token",
    TERMS,
    { ...TERMS, token: "5e6f7a8b" },
    /^Cannot join the cluster "default": its nodes have another token \(fingerprint 1a2b3c4d, this node's is 5e6f7a8b\): start this node with their token \(--token-file, or KITCHENSINK_TOKEN\)$/,
  ],
  [
    "another version of the protocol",
    TERMS,
    { ...TERMS, protocol: TERMS.protocol - 1 },
    /^Cannot join the cluster "default": its nodes speak version 3 of the protocol, this node version 2: install the same release on all$/,
  ],
  ["no token", TERMS, { ...TERMS, token: "none" }, /\(fingerprint 1a2b3c4d, this node has none\)/],
  [
    "a token where there is none",
    { ...TERMS, token: "none" },
    TERMS,
    /its nodes have no token, and this node has one: start it with --no-token/,
  ],
])("a node with %s is refused at once, with both sides' terms", (_, theirs, own, message) =>
  withStore(async (store) => {
    await store.register({ name: N1, incarnation: "n1 1", terms: theirs, leaseMs: 60_000, facts: "" });
    const joining = leaseOf(store, { terms: own }).take();
    await expect(joining).rejects.toMatchObject({
      code: "KS_CONFLICT",
      message: expect.stringMatching(message),
    });
    expect((await store.nodes()).map(({ name }) => name)).toEqual([N1]);
  }),
);

test("a node whose lease ran out while the cluster took on other terms says so, and stays out", () =>
  withStore(async (store) => {
    const lease = leaseOf(store, { leaseMs: 1 });
    await lease.take();
    await register(store, N3);
    await expect.poll(async () => (await store.nodes()).map(({ name }) => name)).toEqual([N3]);
    await store.leave(N3);
    await store.register({
      name: N1,
      incarnation: "n1 1",
      terms: { ...TERMS, token: "5e6f7a8b" },
      leaseMs: 60_000,
      facts: "",
    });
    await expect(lease.renew()).rejects.toThrow(/another token \(fingerprint 5e6f7a8b/);
    await lease.leave();
  }));

test("a node that fails as it joins holds its place no longer, and beats no more", () =>
  withStore(async (store) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const onJoined = (): Promise<void> => Promise.reject(new Error("no"));
    await expect(leaseOf(store, { onJoined }).take()).rejects.toThrow("no");
    expect(await store.nodes()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  }));

test("jobs that wait for nodes which are gone are handed on to be placed anew", () =>
  withStore(async (store) => {
    await register(store, N1);
    const job = newJob({ offers: { nodes: [{ node: N3, delayMs: 0 }], othersDelayMs: null } });
    await submit(store, job);
    const onUnplaced = vi.fn<LeaseOptions["onUnplaced"]>();
    const lease = leaseOf(store, { onUnplaced });
    await lease.take();
    expect(onUnplaced).toHaveBeenCalledExactlyOnceWith([{ id: job.id, queue: "default", inputs: [] }]);
    await lease.leave();
  }));

test("the fingerprint of a token is of a few digits, and none without a token", () => {
  expect(termsOf({ token: "secret" }).token).toBe("2bb80d53");
  expect(termsOf({ token: null }).token).toBe("none");
});
