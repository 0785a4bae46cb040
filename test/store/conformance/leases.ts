import { expect, test } from "vitest";
import type { NodeName } from "../../../src/core/ids.ts";
import {
  bytes,
  claim,
  N1,
  N2,
  N3,
  newJob,
  NOTHING_SWEPT,
  type OpenStore,
  register,
  runningJob,
  state,
  submit,
  TERMS,
  withStore,
  SHORT_LEASE_MS,
} from "../support/harness.ts";

const registration = (name: NodeName, incarnation: string, leaseMs = 60_000) =>
  ({ name, incarnation, terms: TERMS, leaseMs, facts: JSON.stringify({ by: incarnation }) }) as const;

export function describeLeases(open: OpenStore): void {
  test(
    "a node that is alone keeps its lease while it is silent, whoever was there before or asked in vain",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2, 20 * SHORT_LEASE_MS);
      await store.leave(N2);
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.sweep(N3, 3)).toEqual(NOTHING_SWEPT);
      expect(await store.heartbeat(registration(N2, "a", 20 * SHORT_LEASE_MS))).toBe("lapsed");
      await register(store, N3, SHORT_LEASE_MS);
      await pass(2 * SHORT_LEASE_MS);
      expect((await store.nodes()).map(({ name }) => name)).toEqual([N3]);
    }),
  );

  test(
    "a registered node is listed with its facts, its lease and its running jobs",
    withStore(open, async ({ store }) => {
      expect(await store.nodes()).toEqual([]);
      expect(await store.register(registration(N1, "a"))).toEqual({ type: "registered" });
      await submit(store, newJob(), newJob());
      await claim(store, N1);
      const [node, ...others] = await store.nodes();
      expect(others).toEqual([]);
      expect(node).toMatchObject({ name: N1, facts: '{"by":"a"}', runningJobs: 2 });
      const [record] = await store.read([await runningJob(store, N1)]);
      const leaseLeftMs = node!.leaseEndsAtMs - record!.startedAtMs!;
      expect(leaseLeftMs).toBeGreaterThan(50_000);
      expect(leaseLeftMs).toBeLessThanOrEqual(60_000);
    }),
  );

  test(
    "a name whose lease another process holds is taken",
    withStore(open, async ({ store, pass }) => {
      await store.register(registration(N1, "a", SHORT_LEASE_MS));
      expect(await store.register(registration(N1, "b"))).toEqual({ type: "taken" });
      expect(await store.heartbeat(registration(N1, "b"))).toBe("lapsed");
      expect((await store.nodes())[0]?.facts).toBe('{"by":"a"}');
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.register(registration(N1, "b"))).toEqual({ type: "registered" });
      expect(await store.heartbeat(registration(N1, "a"))).toBe("lapsed");
    }),
  );

  test(
    "a register that is repeated changes nothing: running jobs stay",
    withStore(open, async ({ store }) => {
      await store.register(registration(N1, "a"));
      const id = await runningJob(store, N1);
      expect(await store.register(registration(N1, "a"))).toEqual({ type: "registered" });
      expect(await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("") }])).toEqual([
        "committed",
      ]);
    }),
  );

  test(
    "heartbeats keep a lease and bring new facts",
    withStore(open, async ({ store, pass }) => {
      await store.register(registration(N1, "a", 2 * SHORT_LEASE_MS));
      for (let beat = 0; beat < 3; beat += 1) {
        await pass(SHORT_LEASE_MS);
        const facts = { ...registration(N1, "a", 2 * SHORT_LEASE_MS), facts: String(beat) };
        expect(await store.heartbeat(facts)).toBe("renewed");
      }
      expect((await store.nodes())[0]?.facts).toBe("2");
      await register(store, N2);
      await pass(2 * SHORT_LEASE_MS + 10);
      expect((await store.nodes()).map(({ name }) => name)).toEqual([N2]);
    }),
  );

  test(
    "leases do not run out while no node is heard of: commits are taken, and claims go on",
    withStore(open, async ({ store, pass }) => {
      await store.register(registration(N1, "a", SHORT_LEASE_MS));
      await store.register(registration(N2, "b", SHORT_LEASE_MS));
      const [ended, running] = [await runningJob(store, N1), await runningJob(store, N2)];
      await pass(3 * SHORT_LEASE_MS);
      expect(await store.finish(N1, [{ id: ended, attempt: 1, next: "failed", outcome: bytes("") }])).toEqual(
        ["committed"],
      );
      expect(await store.sweep(N1, 3)).toEqual(NOTHING_SWEPT);
      expect(await claim(store, N1)).toEqual([]);
      expect((await store.nodes()).map(({ name }) => name).toSorted()).toEqual([N1, N2]);
      expect(await store.heartbeat(registration(N1, "a", SHORT_LEASE_MS))).toBe("renewed");
      expect(await store.heartbeat(registration(N2, "b", SHORT_LEASE_MS))).toBe("renewed");
      expect(await state(store, running)).toBe("running");
    }),
  );

  test(
    "a lease runs out while other nodes are heard of, also after a silence of all",
    withStore(open, async ({ store, pass }) => {
      await store.register(registration(N1, "a", SHORT_LEASE_MS));
      await store.register(registration(N2, "b", SHORT_LEASE_MS));
      const id = await runningJob(store, N2);
      await pass(2 * SHORT_LEASE_MS);
      for (let beat = 0; beat < 4; beat += 1) {
        expect(await store.heartbeat(registration(N1, "a", SHORT_LEASE_MS))).toBe("renewed");
        await pass(SHORT_LEASE_MS / 3);
      }
      expect(await store.finish(N2, [{ id, attempt: 1, next: "failed", outcome: bytes("") }])).toEqual([
        "fenced",
      ]);
      expect(await store.heartbeat(registration(N2, "b", SHORT_LEASE_MS))).toBe("lapsed");
    }),
  );

  test(
    "a silence is added to the leases that hold, and after a silence of a whole lease they begin anew",
    withStore(open, async ({ store, pass }) => {
      const leaseMs = 2 * SHORT_LEASE_MS;
      const aheadMs = async (): Promise<number> => {
        await store.heartbeat(registration(N1, "a", leaseMs));
        const endsAtMs = new Map((await store.nodes()).map((node) => [node.name, node.leaseEndsAtMs]));
        return endsAtMs.get(N1)! - endsAtMs.get(N2)!;
      };
      await store.register(registration(N1, "a", leaseMs));
      await store.register(registration(N2, "b", leaseMs));
      await pass(leaseMs / 2);
      expect(await aheadMs()).toBe(0.4 * leaseMs);
      await pass(leaseMs + 10);
      expect(await aheadMs()).toBe(0);
    }),
  );

  test(
    "a heartbeat after the lease ran out answers lapsed, and the node's jobs are given to others",
    withStore(open, async ({ store, pass }) => {
      await register(store, N2);
      await store.register(registration(N1, "a", SHORT_LEASE_MS));
      const id = await runningJob(store, N1, { queue: "lost" });
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.heartbeat(registration(N1, "a"))).toBe("lapsed");
      expect(await store.heartbeat(registration(N1, "a"))).toBe("lapsed");
      expect(await state(store, id)).toBe("queued");
      await store.sweep(N2, 3);
      expect(await claim(store, N2, { queues: ["lost"] })).toMatchObject([{ id, attempt: 2, deaths: 1 }]);
    }),
  );

  test(
    "a process that takes up a lost one's name gives its jobs back, and they are fenced",
    withStore(open, async ({ store, pass }) => {
      await store.register(registration(N1, "a", SHORT_LEASE_MS));
      const id = await runningJob(store, N1, { queue: "lost" });
      await pass(SHORT_LEASE_MS + 10);
      await store.register(registration(N1, "b"));
      expect(await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("") }])).toEqual([
        "fenced",
      ]);
      expect(await store.activeJobs()).toEqual([id]);
      expect(await store.sweep(N1, 3)).toEqual(NOTHING_SWEPT);
      expect(await claim(store, N1, { queues: ["lost"] })).toMatchObject([{ id, attempt: 2, deaths: 1 }]);
    }),
  );

  test(
    "a sweep gives the jobs of lost nodes back to their queues, a death each, and leaves the living alone",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2);
      const lost = [
        await runningJob(store, N1, { queue: "lost" }),
        await runningJob(store, N1, { queue: "lost" }),
      ];
      const living = await runningJob(store, N2);
      expect(await store.sweep(N2, 3)).toEqual(NOTHING_SWEPT);
      expect(await state(store, lost[0]!)).toBe("running");
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.sweep(N2, 3)).toEqual(NOTHING_SWEPT);
      expect(await store.sweep(N2, 3)).toEqual(NOTHING_SWEPT);
      expect(await state(store, living)).toBe("running");
      const claimed = await claim(store, N2, { queues: ["lost"] });
      expect(claimed.map(({ id, attempt, deaths }) => ({ id, attempt, deaths }))).toEqual(
        lost.map((id) => ({ id, attempt: 2, deaths: 1 })),
      );
    }),
  );

  test(
    "jobs that would reach the most deaths are handed to the sweeping node, until it has failed them",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2);
      const id = await runningJob(store, N1, { label: "doomed" });
      await pass(SHORT_LEASE_MS + 10);
      const pastDeaths = [`attempt 1 on ${N1}: the node was lost`];
      const lost = { isAtMostOnce: false, lostNode: N1 };
      const exhausted = [{ id, attempt: 2, deaths: 1, ...lost, label: "doomed", pastDeaths }];
      expect(await store.sweep(N2, 1)).toEqual({ ...NOTHING_SWEPT, exhausted });
      expect(await store.sweep(N2, 1)).toEqual({ ...NOTHING_SWEPT, exhausted });
      const [record] = await store.read([id]);
      expect(record).toMatchObject({ state: "running", node: N2, attempt: 2, deaths: 1 });
      expect(await store.finish(N2, [{ id, attempt: 2, next: "failed", outcome: bytes("died") }])).toEqual([
        "committed",
      ]);
      expect(await store.sweep(N2, 1)).toEqual(NOTHING_SWEPT);
    }),
  );

  test(
    "an exhausted job is handed on when its node is lost or leaves before it has failed it, without another death",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N3);
      const id = await runningJob(store, N1, { label: "doomed" });
      const once = await runningJob(store, N1, { isAtMostOnce: true });
      await pass(SHORT_LEASE_MS + 10);
      await register(store, N2, SHORT_LEASE_MS);
      const listed = async (node: NodeName): Promise<unknown> => {
        const { exhausted } = await store.sweep(node, 1);
        return exhausted.map(({ id: of, attempt, deaths, lostNode, pastDeaths }) => {
          return `${of} ${attempt} ${deaths} ${lostNode} ${pastDeaths.join()}`;
        });
      };
      const both = (attempt: number): unknown =>
        [id, once].map((of) => `${of} ${attempt} 1 ${N1} attempt 1 on ${N1}: the node was lost`);
      expect(await listed(N2)).toEqual(expect.arrayContaining(both(2) as string[]));
      await pass(SHORT_LEASE_MS + 10);
      await store.heartbeat(registration(N3, "n3 1"));
      expect(await listed(N3)).toEqual(expect.arrayContaining(both(3) as string[]));
      await register(store, N2);
      await store.leave(N3);
      expect(await claim(store, N2, { queues: [(await store.read([id]))[0]!.queue] })).toEqual([]);
      expect(await listed(N2)).toEqual(expect.arrayContaining(both(4) as string[]));
      const rows = [2, 3].map((attempt) => ({ id, attempt, next: "failed", outcome: bytes("") }) as const);
      expect([await store.finish(N2, rows), await store.finish(N3, rows)].flat()).toEqual(
        Array(4).fill("fenced"),
      );
      expect(await store.finish(N2, [{ id, attempt: 4, next: "failed", outcome: bytes("") }])).toEqual([
        "committed",
      ]);
    }),
  );

  test(
    "whoever claims a job hears how its earlier workers and nodes died, in the order of their deaths",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2);
      const id = await runningJob(store, N1, { queue: "lost" });
      const other = await runningJob(store, N1, { queue: "lost" });
      const death = "attempt 1: killed, with spaces, commas and ünïcode";
      await store.finish(N1, [{ id, attempt: 1, next: "queued", deaths: 1, throws: 2, death }]);
      const [again] = await claim(store, N1, { queues: ["lost"] });
      expect(again).toMatchObject({ id, deaths: 1, throws: 2, pastDeaths: [death] });
      await pass(SHORT_LEASE_MS + 10);
      await store.sweep(N2, 5);
      const lost = (attempt: number): string => `attempt ${attempt} on ${N1}: the node was lost`;
      expect(await claim(store, N2, { queues: ["lost"], count: 2 })).toMatchObject([
        { id, attempt: 3, deaths: 2, throws: 2, pastDeaths: [death, lost(2)] },
        { id: other, attempt: 2, deaths: 1, pastDeaths: [lost(1)] },
      ]);
      await store.finish(N2, [{ id, attempt: 3, next: "queued", deaths: 2, throws: 3 }]);
      expect(await claim(store, N2, { queues: ["lost"] })).toMatchObject([
        { id, pastDeaths: [death, lost(2)] },
      ]);
    }),
  );

  test(
    "a node without a lease is handed no exhausted jobs: they wait for one that has",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N3);
      const id = await runningJob(store, N1);
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.sweep(N2, 1)).toEqual(NOTHING_SWEPT);
      await register(store, N2);
      expect(await store.sweep(N2, 1)).toMatchObject({ exhausted: [{ id, lostNode: N1 }] });
    }),
  );

  test(
    "a job of a lost node can be cancelled before the sweep decides on it",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N3);
      const id = await runningJob(store, N1);
      await pass(SHORT_LEASE_MS + 10);
      await store.heartbeat(registration(N1, "n1 1"));
      expect(await store.cancel([id], bytes("why"))).toEqual(["cancelled"]);
      await register(store, N2);
      expect(await store.sweep(N2, 1)).toEqual(NOTHING_SWEPT);
      expect(await state(store, id)).toBe("cancelled");
    }),
  );

  test(
    "what runs on a node is listed, but for what a sweep handed to it",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1);
      await register(store, N2, SHORT_LEASE_MS);
      const lost = await runningJob(store, N2, { queue: "lost" });
      const first = await runningJob(store, N1);
      const again = await runningJob(store, N1, { queue: "again" });
      await store.finish(N1, [{ id: again, attempt: 1, next: "queued", deaths: 1, throws: 2 }]);
      await claim(store, N1, { queues: ["again"] });
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.sweep(N1, 1)).toMatchObject({ exhausted: [{ id: lost }] });
      const listed = [
        { id: first, attempt: 1, deaths: 0, throws: 0 },
        { id: again, attempt: 2, deaths: 1, throws: 2 },
      ];
      const byAttempt = (await store.runningJobs(N1)).toSorted((a, b) => a.attempt - b.attempt);
      expect(byAttempt).toEqual(listed);
      expect(await store.runningJobs(N2)).toEqual([]);
    }),
  );

  test(
    "a node that leaves gives its jobs back without a death, and its name is free",
    withStore(open, async ({ store }) => {
      await store.register(registration(N1, "a"));
      await register(store, N2);
      const id = await runningJob(store, N1, { queue: "left" });
      await store.leave(N1);
      expect((await store.nodes()).map(({ name }) => name)).toEqual([N2]);
      expect(await claim(store, N2, { queues: ["left"] })).toMatchObject([{ id, attempt: 2, deaths: 0 }]);
      expect(await store.claim({ node: N1, queues: ["left"], count: 1, takesData: true })).toEqual({
        type: "lapsed",
      });
      expect(await store.register(registration(N1, "b"))).toEqual({ type: "registered" });
      await store.leave(N1);
      await store.leave(N1);
    }),
  );
}
