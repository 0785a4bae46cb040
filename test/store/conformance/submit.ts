import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { parseJobId } from "../../../src/core/ids.ts";
import {
  bytes,
  claim,
  HEAD,
  N1,
  newJob,
  type OpenStore,
  OTHER_UNIT,
  register,
  runningJob,
  shown,
  submit,
  UNIT,
  withStore,
} from "../support/harness.ts";

const NO_UNITS = { units: new Map(), needs: [] };

export function describeSubmit(open: OpenStore): void {
  test(
    "a submitted job is queued, with what it was submitted with",
    withStore(open, async ({ store }) => {
      const job = newJob({
        queue: "gpu",
        priority: -7,
        label: "ein Name, länger als vierundsechzig Bytes".repeat(3),
      });
      expect(await store.submit({ watcher: HEAD, jobs: [job], ...NO_UNITS })).toEqual({
        type: "queued",
        rows: ["queued"],
      });
      const [record] = await store.read([job.id]);
      expect(record).toEqual({
        id: job.id,
        state: "queued",
        queue: "gpu",
        label: job.label,
        priority: -7,
        attempt: 0,
        deaths: 0,
        node: undefined,
        createdAtMs: expect.any(Number),
        startedAtMs: undefined,
        finishedAtMs: undefined,
        outcome: undefined,
        pastDeaths: [],
      });
    }),
  );

  test(
    "a job that is known already is not queued again",
    withStore(open, async ({ store }) => {
      const [job, other] = [newJob(), newJob()];
      await submit(store, job);
      const again = await store.submit({ watcher: HEAD, jobs: [job, other], ...NO_UNITS });
      expect(again).toEqual({ type: "queued", rows: ["known", "queued"] });
      await register(store, N1);
      expect((await claim(store, N1)).map(({ id }) => id)).toEqual([job.id, other.id]);
    }),
  );

  test(
    "a hundred submits of one job at once make one job",
    withStore(open, async ({ store }) => {
      const job = newJob();
      const replies = await Promise.all(
        Array.from({ length: 100 }, () => store.submit({ watcher: HEAD, jobs: [job], ...NO_UNITS })),
      );
      const rows = replies.map((reply) => (reply.type === "queued" ? reply.rows[0] : reply.type));
      expect(rows.filter((row) => row === "queued")).toHaveLength(1);
      expect(rows.filter((row) => row === "known")).toHaveLength(99);
      expect(await store.activeJobs()).toEqual([job.id]);
    }),
  );

  test(
    "the same id with another spec is a conflict, and nothing of the batch is queued",
    withStore(open, async ({ store }) => {
      const [job, other] = [newJob(), newJob()];
      await submit(store, job);
      const changed = { ...job, spec: bytes("add(1, 3)") };
      const reply = await store.submit({ watcher: HEAD, jobs: [other, changed], ...NO_UNITS });
      expect(reply).toEqual({ type: "conflict", id: job.id });
      expect(await store.activeJobs()).toEqual([job.id]);
    }),
  );

  test(
    "the same id twice in one batch is one job, or a conflict",
    withStore(open, async ({ store }) => {
      const job = newJob();
      const twice = await store.submit({ watcher: HEAD, jobs: [job, job], ...NO_UNITS });
      expect(twice).toEqual({ type: "queued", rows: ["queued", "known"] });
      const fresh = newJob();
      const differing = [fresh, { ...fresh, spec: bytes("other") }];
      expect(await store.submit({ watcher: HEAD, jobs: differing, ...NO_UNITS })).toEqual({
        type: "conflict",
        id: fresh.id,
      });
      expect(await store.activeJobs()).toEqual([job.id]);
    }),
  );

  test(
    "known and conflict are told apart when the job is final too",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1, { spec: bytes("spec") });
      await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
      const same = newJob({ id, spec: bytes("spec") });
      expect(await store.submit({ watcher: HEAD, jobs: [same], ...NO_UNITS })).toEqual({
        type: "queued",
        rows: ["known"],
      });
      const changed = newJob({ id, spec: bytes("Spec") });
      expect(await store.submit({ watcher: HEAD, jobs: [changed], ...NO_UNITS })).toEqual({
        type: "conflict",
        id,
      });
      expect(await store.activeJobs()).toEqual([]);
    }),
  );

  test(
    "a batch that needs a unit which nobody has is missing it, and nothing is queued",
    withStore(open, async ({ store }) => {
      const batch = { watcher: HEAD, jobs: [newJob()], needs: [UNIT, OTHER_UNIT] };
      const units = new Map([[OTHER_UNIT, bytes("other")]]);
      expect(await store.submit({ ...batch, units })).toEqual({ type: "missing", units: [UNIT] });
      expect(await store.activeJobs()).toEqual([]);
      expect(await store.units([UNIT, OTHER_UNIT])).toEqual([undefined, undefined]);
    }),
  );

  test(
    "a unit that travelled once serves later batches and can be read",
    withStore(open, async ({ store }) => {
      const code = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await store.submit({ watcher: HEAD, jobs: [newJob()], units: new Map([[UNIT, code]]), needs: [UNIT] });
      const later = await store.submit({ watcher: HEAD, jobs: [newJob()], units: new Map(), needs: [UNIT] });
      expect(later.type).toBe("queued");
      const [unit, none] = await store.units([UNIT, OTHER_UNIT]);
      expect(Buffer.from(unit!)).toEqual(Buffer.from(code));
      expect(none).toBeUndefined();
    }),
  );

  test(
    "a unit outlives its last use by its time, and every use counts",
    withStore(
      open,
      async ({ store, pass }) => {
        const needs = { jobs: [], needs: [UNIT] };
        await store.submit({ watcher: HEAD, units: new Map([[UNIT, bytes("code")]]), ...needs });
        await pass(300);
        expect((await store.submit({ watcher: HEAD, units: new Map(), ...needs })).type).toBe("queued");
        await pass(300);
        expect(shown((await store.units([UNIT]))[0])).toBe("code");
        await pass(550);
        expect(await store.units([UNIT])).toEqual([undefined]);
      },
      { unitTtlMs: 500 },
    ),
  );

  test.each(["failed", "cancelled", "succeeded"] as const)(
    "a job whose id is made of its contents is queued again only when it came to nothing: %s",
    (end) =>
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const id = parseJobId(randomUUID().replace(/^(.{14})./, "$18"));
        const again = newJob({ id, queue: "again" });
        expect(await runningJob(store, N1, again)).toBe(id);
        const piece = { attempt: 1, index: 0, stream: "stdout", bytes: bytes("before"), atMs: 1 } as const;
        await store.appendOutput(N1, [{ id, piece }]);
        const long = bytes("x".repeat(5_000));
        await store.finish(N1, [{ id, attempt: 1, next: end, outcome: long }]);
        const reply = await store.submit({ watcher: HEAD, jobs: [again], ...NO_UNITS });
        expect(reply).toEqual({ type: "queued", rows: [end === "succeeded" ? "known" : "queued"] });
        if (end === "succeeded") return;
        expect(await store.readOutput(id, 0)).toEqual([]);
        const [claimed] = await claim(store, N1, { queues: ["again"] });
        expect(claimed).toMatchObject({ id, attempt: 1, deaths: 0, throws: 0 });
        const outcome = bytes("3");
        await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome }]);
        const [record] = await store.read([id]);
        expect([record?.state, shown(record?.outcome)]).toEqual(["succeeded", "3"]);
      })(),
  );

  test(
    "bytes of a spec come back as they were, and large batches hold together",
    withStore(open, async ({ store }) => {
      const spec = Uint8Array.from({ length: 1000 }, (_, byte) => byte % 256);
      const jobs = Array.from({ length: 5000 }, () => newJob({ spec }));
      await submit(store, ...jobs);
      await register(store, N1);
      const claimed = await claim(store, N1, { count: 6000 });
      expect(claimed.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
      expect(claimed.every((job) => Buffer.compare(job.spec, spec) === 0)).toBe(true);
      const rows = claimed.map(
        ({ id, attempt }) => ({ id, attempt, next: "succeeded", outcome: spec }) as const,
      );
      expect(new Set(await store.finish(N1, rows))).toEqual(new Set(["committed"]));
      expect(await store.activeJobs()).toEqual([]);
    }),
  );
}
