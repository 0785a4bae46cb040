import { describe, expect, test } from "vitest";
import { parseDataUrl } from "../../../src/core/data-url.ts";
import { parseNodeName } from "../../../src/core/ids.ts";
import {
  bytes,
  HEAD,
  inboxOf,
  N1,
  N2,
  N3,
  newJob,
  NOTHING_SWEPT,
  type OpenStore,
  register,
  shown,
  state,
  submit,
  withStore,
  SHORT_LEASE_MS,
} from "../support/harness.ts";
import { ids, nextVisibleMs, only, thenOthers, to, unplaced, withNodes } from "../support/offers.ts";

const NO_UNITS = { units: new Map(), needs: [] };
const INPUTS = [parseDataUrl("my/table"), parseDataUrl("other")];

export function describePlacement(open: OpenStore): void {
  describe("a job of whose nodes none is there", () => {
    test(
      "is listed by every sweep with its queue and inputs, until it is placed",
      withNodes(open, async ({ store, pass }) => {
        const dying = parseNodeName("dying");
        await register(store, dying, SHORT_LEASE_MS);
        const [lapsed, left] = [
          newJob({ offers: to(dying, 5_000), inputs: INPUTS }),
          newJob({ offers: only(N1) }),
        ];
        const never = newJob({
          queue: "work",
          priority: 3,
          offers: only(parseNodeName("never")),
          inputs: [],
        });
        const others = newJob({ offers: thenOthers(only(N1), 50_000) });
        const two = newJob({ offers: only(N1, N2) });
        await submit(store, lapsed, left, never, others, two);
        expect(await unplaced(store)).toEqual([never.id]);
        await store.leave(N1);
        await pass(SHORT_LEASE_MS + 10);
        const listed = [
          { id: never.id, queue: "work", inputs: [] },
          { id: lapsed.id, queue: "default", inputs: INPUTS },
          { id: left.id, queue: "default", inputs: [] },
        ];
        for (const node of [N2, HEAD])
          expect(await store.sweep(node, 3)).toEqual({ ...NOTHING_SWEPT, unplaced: listed });
        expect((await store.activeJobs()).toSorted()).toEqual(
          [lapsed, left, never, others, two].map(({ id }) => id).toSorted(),
        );
        await register(store, N1);
        expect(await ids(store, N1)).toEqual([others.id, two.id]);
        await store.place([
          { id: lapsed.id, offers: only(N2), placement: "again" },
          { id: never.id, offers: only(parseNodeName("never")), placement: "" },
        ]);
        expect(await unplaced(store)).toEqual([never.id, left.id]);
        expect(await ids(store, N3)).toEqual([]);
        expect(await ids(store, N2)).toEqual([lapsed.id]);
        expect((await store.read([lapsed.id]))[0]?.placement).toBe("again");
      }),
    );

    test(
      "is not listed any more when it was cancelled, and not placed",
      withNodes(open, async ({ store }) => {
        const job = newJob({ offers: { nodes: [], othersDelayMs: null } });
        await submit(store, job);
        expect(await unplaced(store)).toEqual([job.id]);
        expect(await store.cancel([job.id], bytes("why"))).toEqual(["cancelled"]);
        expect(await unplaced(store)).toEqual([]);
        await store.place([{ id: job.id, offers: only(N1), placement: "late" }]);
        expect(await ids(store, N1)).toEqual([]);
        expect(await state(store, job.id)).toBe("cancelled");
      }),
    );

    test(
      "is placed once: what a second one says is left alone",
      withNodes(open, async ({ store }) => {
        const [job, plain] = [newJob({ offers: only(HEAD) }), newJob()];
        await submit(store, job, plain);
        await store.place([{ id: job.id, offers: to(N1, 50_000), placement: "first" }]);
        await store.place([
          { id: job.id, offers: only(N2), placement: "second" },
          { id: plain.id, offers: only(N2), placement: "second", refusal: bytes("no") },
        ]);
        expect(await ids(store, N2)).toEqual([plain.id]);
        expect((await store.read([job.id]))[0]?.placement).toBe("first");
        expect(await nextVisibleMs(store, N1)).toBeGreaterThan(40_000);
      }),
    );

    test(
      "can be refused: it ends as failed, and its watchers hear of it",
      withNodes(open, async ({ store }) => {
        const inbox = await inboxOf(store, HEAD);
        const job = newJob({ offers: only(parseNodeName("never")) });
        await submit(store, job);
        const refusal = bytes("nobody may take it");
        await store.place([{ id: job.id, offers: only(), placement: "nowhere", refusal }]);
        expect(await inbox.next()).toMatchObject({ type: "finished", id: job.id, state: "failed" });
        const [record] = await store.read([job.id]);
        expect(record).toMatchObject({ state: "failed", placement: "nowhere", attempt: 0 });
        expect(shown(record?.outcome)).toBe("nobody may take it");
        expect(await unplaced(store)).toEqual([]);
        expect(await store.activeJobs()).toEqual([]);
      }),
    );

    test(
      "becomes one when the last node that ran it is lost or leaves",
      withNodes(open, async ({ store }) => {
        const jobs = [newJob({ offers: only(N1) }), newJob({ offers: thenOthers(only(N1), 0) })];
        await submit(store, ...jobs);
        expect(await ids(store, N1)).toHaveLength(2);
        await store.leave(N1);
        expect(await unplaced(store)).toEqual([jobs[0]!.id]);
        expect(await ids(store, N2)).toEqual([jobs[1]!.id]);
      }),
    );

    test(
      "is listed among the first five hundred",
      withNodes(open, async ({ store }) => {
        const jobs = Array.from({ length: 501 }, () => newJob({ offers: only() }));
        await submit(store, ...jobs);
        expect(await unplaced(store)).toEqual(jobs.slice(0, 500).map(({ id }) => id));
        await store.place(jobs.slice(0, 500).map(({ id }) => ({ id, offers: only(N1), placement: "" })));
        expect(await unplaced(store)).toEqual([jobs[500]!.id]);
      }),
    );
  });

  describe("a job that is refused", () => {
    test(
      "ends as failed at once, is known afterwards, and its time passes as that of others",
      withStore(
        open,
        async ({ store, pass }) => {
          await register(store, N1);
          const refusal = bytes("r".repeat(200));
          const [job, small] = [
            newJob({ refusal, offers: only(N1), placement: "nowhere" }),
            newJob({ refusal: bytes("") }),
          ];
          const fine = newJob();
          const jobs = [job, fine, small];
          const batch = { watcher: HEAD, jobs, ...NO_UNITS };
          expect(await store.submit(batch)).toEqual({ type: "queued", rows: ["queued", "queued", "queued"] });
          const [record, watched] = await store.watch([job.id, small.id], HEAD);
          expect(record).toMatchObject({
            state: "failed",
            attempt: 0,
            placement: "nowhere",
            finishedAtMs: expect.any(Number),
          });
          expect([shown(record?.outcome), shown(watched?.outcome)]).toEqual(["r".repeat(200), ""]);
          expect(await store.activeJobs()).toEqual([fine.id]);
          expect(await ids(store, N1)).toEqual([fine.id]);
          expect(await store.submit(batch)).toEqual({ type: "queued", rows: ["known", "known", "known"] });
          expect(await store.cancel([job.id], bytes(""))).toEqual(["final"]);
          await pass(1_050);
          expect(await store.read([job.id, small.id])).toEqual([undefined, undefined]);
        },
        { resultTtlMs: 1_000 },
      ),
    );

    test(
      "sends no event",
      withStore(open, async ({ store }) => {
        const inbox = await inboxOf(store, HEAD);
        await submit(store, newJob({ refusal: bytes("no") }));
        const other = newJob();
        await submit(store, other);
        await store.cancel([other.id], bytes(""));
        expect(await inbox.next()).toMatchObject({ type: "finished", id: other.id });
      }),
    );
  });
}
