import { expect, test } from "vitest";
import {
  claim,
  HEAD,
  N1,
  N2,
  newJob,
  type OpenStore,
  register,
  runningJob,
  shown,
  state,
  submit,
  withStore,
  SHORT_LEASE_MS,
} from "../support/harness.ts";

export function describeClaim(open: OpenStore): void {
  test(
    "a claim right behind a submit that nobody awaited sees its jobs",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const job = newJob();
      const submitted = store.submit({ watcher: N1, jobs: [job], units: new Map(), needs: [] });
      const claimed = store.claim({ node: N1, queues: ["default"], count: 1, takesData: true });
      expect(await claimed).toMatchObject({ type: "claimed", jobs: [{ id: job.id }] });
      expect((await submitted).type).toBe("queued");
    }),
  );

  test(
    "a claim makes a job running under its first attempt",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const job = newJob();
      await submit(store, job);
      const [claimed] = await claim(store, N1);
      expect({ ...claimed, spec: shown(claimed?.spec) }).toEqual({
        id: job.id,
        attempt: 1,
        deaths: 0,
        throws: 0,
        queue: "default",
        spec: "add(1, 2)",
      });
      const [record] = await store.read([job.id]);
      expect(record).toMatchObject({
        state: "running",
        node: N1,
        attempt: 1,
        startedAtMs: expect.any(Number),
      });
    }),
  );

  test(
    "no more jobs are claimed than asked for, and none twice",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      await register(store, N2);
      await submit(store, ...Array.from({ length: 5 }, () => newJob()));
      const parts = await Promise.all([
        claim(store, N1, { count: 2 }),
        claim(store, N2, { count: 2 }),
        claim(store, N1, { count: 2 }),
      ]);
      expect(parts.map((part) => part.length)).toEqual([2, 2, 1]);
      expect(new Set(parts.flat().map(({ id }) => id)).size).toBe(5);
      expect(await claim(store, N2, { count: 0 })).toEqual([]);
    }),
  );

  test(
    "higher priority comes first, then what is older",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const priorities = [0, 10, -1000, 0, 1000, 10, -1];
      const jobs = priorities.map((priority) => newJob({ priority }));
      for (const job of jobs) await submit(store, job);
      const order = (await claim(store, N1)).map(({ id }) => jobs.findIndex((job) => job.id === id));
      expect(order).toEqual([4, 1, 5, 0, 3, 6, 2]);
    }),
  );

  test(
    "what is for this node alone comes first, then queues in the order given; others are left alone",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const [last, first] = [newJob({ queue: "work", priority: 5 }), newJob({ queue: "default" })];
      const [own, other] = [newJob({ queue: "work|n1" }), newJob({ queue: "default|n1" })];
      const others = newJob({ queue: "default|n3" });
      await submit(store, last, first, own, other, others);
      const claimed = await claim(store, N1, { queues: ["default", "none", "work"] });
      expect(claimed.map(({ id }) => id)).toEqual([other, own, first, last].map(({ id }) => id));
      expect(await state(store, others.id)).toBe("queued");
    }),
  );

  test(
    "a job that was given back keeps its place before younger ones",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const jobs = [newJob(), newJob(), newJob()];
      await submit(store, ...jobs);
      const [first] = await claim(store, N1, { count: 1 });
      await store.finish(N1, [{ id: first!.id, attempt: 1, next: "queued", deaths: 1, throws: 2 }]);
      const claimed = await claim(store, N1);
      expect(claimed.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
      expect(claimed[0]).toMatchObject({ attempt: 2, deaths: 1, throws: 2 });
      expect(claimed[1]).toMatchObject({ attempt: 1, deaths: 0, throws: 0 });
    }),
  );

  test(
    "a node without a lease claims nothing",
    withStore(open, async ({ store, pass }) => {
      const request = { node: N1, queues: ["default"], count: 1, takesData: true };
      const job = newJob();
      await submit(store, job);
      expect(await store.claim(request)).toEqual({ type: "lapsed" });
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2);
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.claim(request)).toEqual({ type: "lapsed" });
      expect(await state(store, job.id)).toBe("queued");
    }),
  );

  test(
    "active jobs are the queued and the running ones",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const running = await runningJob(store, N1);
      const final = await runningJob(store, N1);
      await store.finish(N1, [{ id: final, attempt: 1, next: "failed", outcome: new Uint8Array() }]);
      const queued = newJob({ queue: "other" });
      await submit(store, queued);
      expect((await store.activeJobs()).toSorted()).toEqual([running, queued.id].toSorted());
    }),
  );

  test(
    "a job that ended is never claimed",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const jobs = Array.from({ length: 20 }, () => newJob());
      await submit(store, ...jobs);
      const cancelled = jobs.filter((_, at) => at % 3 > 0).map(({ id }) => id);
      await store.cancel(cancelled, new Uint8Array());
      const rest = jobs.map(({ id }) => id).filter((id) => !cancelled.includes(id));
      expect((await claim(store, N1, { count: 50 })).map(({ id }) => id)).toEqual(rest);
      expect(await claim(store, N1)).toEqual([]);
      await store.submit({ watcher: HEAD, jobs: jobs.slice(0, 2), units: new Map(), needs: [] });
      expect(await claim(store, N1)).toEqual([]);
    }),
  );
}
