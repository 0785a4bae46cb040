import { describe, expect, test } from "vitest";
import { parseNodeName, type NodeName } from "../../../src/core/ids.ts";
import type { Store, StoreEvent } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  type Inbox,
  inboxOf,
  N1,
  N2,
  N3,
  newJob,
  NOTHING_SWEPT,
  type OpenStore,
  register,
  submit,
  SHORT_LEASE_MS,
} from "../support/harness.ts";
import { ids, nextVisibleMs, only, thenOthers, to, withNodes } from "../support/offers.ts";

const NO_UNITS = { units: new Map(), needs: [] };

export function describeOffers(open: OpenStore): void {
  describe("a job that is offered", () => {
    test(
      "can be claimed by those it is offered to, and by nobody else",
      withNodes(open, async ({ store }) => {
        const job = newJob({ offers: only(N1, N2) });
        await submit(store, job);
        expect(await store.activeJobs()).toEqual([job.id]);
        expect(await ids(store, N3)).toEqual([]);
        expect(await ids(store, N2, { queues: ["other"] })).toEqual([]);
        expect(await ids(store, N2, { takesData: false })).toEqual([job.id]);
        expect(await ids(store, N1)).toEqual([]);
        expect(await store.activeJobs()).toEqual([job.id]);
      }),
    );

    test(
      "becomes visible to each after its delay",
      withNodes(open, async ({ store, pass }) => {
        const jobs = [
          newJob({ offers: thenOthers(to(N1, SHORT_LEASE_MS), 2 * SHORT_LEASE_MS) }),
          newJob({ offers: thenOthers(to(N1, SHORT_LEASE_MS), 2 * SHORT_LEASE_MS) }),
        ];
        await submit(store, ...jobs);
        expect(await ids(store, N1)).toEqual([]);
        await pass(SHORT_LEASE_MS + 10);
        expect(await ids(store, N2)).toEqual([]);
        expect(await ids(store, N1, { count: 1 })).toEqual([jobs[0]!.id]);
        await pass(SHORT_LEASE_MS + 10);
        expect(await ids(store, N3, { takesData: false })).toEqual([]);
        expect(await ids(store, N3)).toEqual([jobs[1]!.id]);
        expect(await ids(store, N1)).toEqual([]);
      }),
    );

    test(
      "stands in one order with those that everybody may take: higher priority first, then older ones",
      withNodes(open, async ({ store }) => {
        const jobs = [
          newJob(),
          newJob({ offers: only(N1) }),
          newJob({ offers: thenOthers(only(N2), 0) }),
          newJob({ priority: 5, offers: only(N1) }),
          newJob({ priority: 9 }),
          newJob({ queue: "default|n1", priority: -5 }),
          newJob({ offers: thenOthers(only(N1), 0) }),
          newJob(),
        ];
        for (const job of jobs) await submit(store, job);
        const order = (await ids(store, N1, { count: 5 })).map((id) =>
          jobs.findIndex((job) => job.id === id),
        );
        expect(order).toEqual([5, 4, 3, 0, 1]);
        const rest = (await ids(store, N1)).map((id) => jobs.findIndex((job) => job.id === id));
        expect(rest).toEqual([2, 6, 7]);
      }),
    );

    test(
      "a claim that finds less than it asked for tells when the next offer becomes visible",
      withNodes(open, async ({ store }) => {
        expect(await nextVisibleMs(store, N1)).toBeUndefined();
        await submit(
          store,
          newJob({ offers: thenOthers(to(N1, 60_000), 40_000) }),
          newJob({ offers: to(N1, 50_000) }),
        );
        const about = async (node: NodeName, takesData?: boolean) =>
          Math.ceil(((await nextVisibleMs(store, node, takesData)) ?? 0) / 10_000) * 10_000;
        expect(await about(N1)).toBe(40_000);
        expect(await about(N1, false)).toBe(50_000);
        expect(await about(N2)).toBe(40_000);
        expect(await nextVisibleMs(store, N2, false)).toBeUndefined();
        await submit(store, newJob());
        expect(await store.claim({ node: N1, queues: ["default"], count: 1, takesData: true })).toMatchObject(
          {
            jobs: [{}],
            nextVisibleMs: undefined,
          },
        );
      }),
    );

    test(
      "is offered to all of its nodes at once when it is given back, in its old place",
      withNodes(open, async ({ store }) => {
        const job = newJob({
          offers: thenOthers(
            { ...to(N2, 50_000), nodes: [...only(N1).nodes, ...to(N2, 50_000).nodes] },
            60_000,
          ),
        });
        const younger = newJob({ offers: only(N2) });
        await submit(store, job, younger);
        for (const [attempt, node] of [N1, N2, N3].entries()) {
          const [claimed] = await claim(store, node, { count: 1 });
          expect(claimed).toMatchObject({ id: job.id, attempt: attempt + 1 });
          expect(await ids(store, N1)).toEqual([]);
          await store.finish(node, [
            { id: job.id, attempt: attempt + 1, next: "queued", deaths: 0, throws: attempt + 1 },
          ]);
        }
        expect(await ids(store, N2)).toEqual([job.id, younger.id]);
      }),
    );

    test(
      "of a lost node waits for the sweep, whoever else it is offered to",
      withNodes(open, async ({ store, pass }) => {
        const dying = parseNodeName("dying");
        await register(store, dying, SHORT_LEASE_MS);
        const job = newJob({ offers: only(dying, N1) });
        await submit(store, job);
        expect(await ids(store, dying)).toEqual([job.id]);
        await pass(SHORT_LEASE_MS + 10);
        expect(
          await store.heartbeat({
            name: dying,
            incarnation: "x",
            terms: { token: "", protocol: 1 },
            leaseMs: 1,
            facts: "",
          }),
        ).toBe("lapsed");
        expect(await ids(store, N1)).toEqual([]);
        expect(await store.sweep(N1, 3)).toEqual(NOTHING_SWEPT);
        expect(await ids(store, N3)).toEqual([]);
        expect(await claim(store, N1)).toMatchObject([{ id: job.id, attempt: 2, deaths: 1 }]);
      }),
    );

    test(
      "can be cancelled, and is then nobody's",
      withNodes(open, async ({ store }) => {
        const jobs = [newJob({ offers: thenOthers(only(N1), 0) }), newJob({ offers: to(N1, 50_000) })];
        await submit(store, ...jobs);
        const asked = jobs.map(({ id }) => id);
        expect(await store.cancel(asked, bytes("why"))).toEqual(["cancelled", "cancelled"]);
        expect(await ids(store, N1)).toEqual([]);
        expect(await nextVisibleMs(store, N1)).toBeUndefined();
        expect(await store.activeJobs()).toEqual([]);
      }),
    );

    test(
      "keeps what is said of its placement",
      withNodes(open, async ({ store }) => {
        const jobs = [
          newJob({ offers: only(N1), placement: '{"n1":0}' }),
          newJob({ placement: "p" }),
          newJob(),
        ];
        await submit(store, ...jobs);
        const records = await store.read(jobs.map(({ id }) => id));
        expect(records.map((record) => record?.placement)).toEqual(['{"n1":0}', "p", undefined]);
      }),
    );

    test(
      "may be offered to a thousand nodes, many jobs at once",
      withNodes(open, async ({ store }) => {
        const names = Array.from({ length: 1_000 }, (_, at) => parseNodeName(`node${at}`));
        const offers = thenOthers(
          { ...only(...names), nodes: names.map((node, at) => ({ node, delayMs: at * 1000 })) },
          2_000_000,
        );
        const jobs = Array.from({ length: 20 }, () => newJob({ offers }));
        for (const node of [names[0]!, names[999]!]) await register(store, node);
        await submit(store, ...jobs);
        expect(await ids(store, names[999]!)).toEqual([]);
        expect(await ids(store, names[0]!, { count: 19 })).toEqual(jobs.slice(0, 19).map(({ id }) => id));
        await store.cancel([jobs[19]!.id], bytes(""));
        await store.leave(names[0]!);
        expect(await ids(store, names[999]!, { count: 100 })).toEqual(jobs.slice(0, 19).map(({ id }) => id));
      }),
    );
  });

  describe("a wake-up", () => {
    /** Events up to the end of a job that is cancelled for that. */
    async function untilCancelled(store: Store, inbox: Inbox): Promise<StoreEvent[]> {
      const last = newJob({ queue: "last" });
      await store.submit({ watcher: N1, jobs: [last], ...NO_UNITS });
      await store.cancel([last.id], bytes(""));
      const events = [];
      for (let event = await inbox.next(); event.type !== "finished"; event = await inbox.next())
        events.push(event);
      return events;
    }
    const byQueue = (events: StoreEvent[]) =>
      events
        .map((event) => (event.type === "wake" ? `${event.queue} ${event.delayMs}` : event.type))
        .toSorted();

    test(
      "tells a node of its own offers and of those to everybody, once a queue, with the shortest delay",
      withNodes(open, async ({ store }) => {
        const inbox = await inboxOf(store, N1);
        const both = { nodes: [...to(N1, 40).nodes, ...only(N2).nodes], othersDelayMs: 60 };
        await submit(
          store,
          newJob({ offers: both }),
          newJob({ offers: both }),
          newJob({ offers: to(N1, 30) }),
          newJob({ offers: only(N2) }),
          newJob({ queue: "work|n2" }),
          newJob({ queue: "work" }),
        );
        expect(byQueue(await untilCancelled(store, inbox))).toEqual([
          "default 60",
          "default|n1 30",
          "work 0",
        ]);
      }),
    );

    test(
      "is not sent to the node that brings the job, but comes from a placement and a give-back",
      withNodes(open, async ({ store }) => {
        const inbox = await inboxOf(store, N1);
        const [job, none] = [newJob({ offers: thenOthers(to(N1, 40), 60) }), newJob({ offers: only() })];
        await store.submit({ watcher: N1, jobs: [job, none, newJob({ queue: "default|n1" })], ...NO_UNITS });
        expect(byQueue(await untilCancelled(store, inbox))).toEqual([]);
        await store.place([{ id: none.id, offers: only(N1, N2), placement: "" }]);
        expect(byQueue(await untilCancelled(store, inbox))).toEqual(["default|n1 0"]);
        await claim(store, N2, { count: 1 });
        await store.finish(N2, [{ id: none.id, attempt: 1, next: "queued", deaths: 0, throws: 1 }]);
        expect(byQueue(await untilCancelled(store, inbox))).toEqual(["default|n1 0"]);
      }),
    );
  });
}
