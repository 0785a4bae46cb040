import { expect, test } from "vitest";
import type { NodeName } from "../../../src/core/ids.ts";
import type { ClusterTerms, NodeRegistration } from "../../../src/store/membership.ts";
import {
  N1,
  N2,
  N3,
  type OpenStore,
  register,
  TERMS,
  withStore,
  SHORT_LEASE_MS,
} from "../support/harness.ts";

const OTHER_TOKEN: ClusterTerms = { ...TERMS, token: "5e6f7a8b" };
const OTHER_PROTOCOL: ClusterTerms = { ...TERMS, protocol: TERMS.protocol + 1 };
const REFUSED = { type: "refused", theirs: TERMS, isCertain: true };

const registration = (name: NodeName, terms: ClusterTerms, leaseMs = 60_000): NodeRegistration => ({
  name,
  incarnation: `${name} 1`,
  terms,
  leaseMs,
  facts: "{}",
});

export function describeTerms(open: OpenStore): void {
  test(
    "a node of other terms than those of the nodes that are there is refused, and told theirs",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      expect(await store.register(registration(N2, OTHER_TOKEN))).toEqual(REFUSED);
      expect(await store.register(registration(N2, OTHER_PROTOCOL))).toEqual(REFUSED);
      expect((await store.nodes()).map(({ name }) => name)).toEqual([N1]);
      expect(await store.register(registration(N2, TERMS))).toEqual({ type: "registered" });
      expect(await store.register(registration(N3, OTHER_TOKEN))).toEqual(REFUSED);
    }),
  );

  test(
    "a cluster without nodes takes on the terms of the first that registers",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1);
      await register(store, N2, SHORT_LEASE_MS);
      await store.leave(N1);
      expect(await store.register(registration(N1, OTHER_TOKEN))).toEqual(REFUSED);
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.register(registration(N1, OTHER_TOKEN))).toEqual({ type: "registered" });
      expect(await store.register(registration(N2, TERMS))).toEqual({ ...REFUSED, theirs: OTHER_TOKEN });
    }),
  );

  test(
    "of nodes that were silent for long it is not certain that they are there: who asks again is told",
    withStore(open, async ({ store, pass }) => {
      await register(store, N2, SHORT_LEASE_MS);
      await pass(2 * SHORT_LEASE_MS);
      const joining = registration(N1, OTHER_TOKEN, SHORT_LEASE_MS);
      expect(await store.register(joining)).toEqual({ ...REFUSED, isCertain: false });
      for (let asked = 0; asked < 4; asked += 1) {
        await pass(SHORT_LEASE_MS / 3);
        await store.register(joining);
      }
      expect(await store.register(joining)).toEqual({ type: "registered" });
    }),
  );

  test(
    "a node that is alone may come back with other terms",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      expect(await store.register(registration(N1, OTHER_TOKEN))).toEqual({ type: "registered" });
      expect(await store.register(registration(N2, OTHER_TOKEN))).toEqual({ type: "registered" });
    }),
  );
}
