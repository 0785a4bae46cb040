import { describe, expect, test } from "vitest";
import type { JobId } from "../../../src/core/ids.ts";
import type { NewJob, Store } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  HEAD,
  N1,
  N2,
  newId,
  newJob,
  type OpenStore,
  OTHER_UNIT,
  register,
  runningJob,
  SHORT_LEASE_MS,
  shown,
  submit,
  UNIT,
  withStore,
} from "../support/harness.ts";
import { only } from "../support/offers.ts";

/** More than a record of Redis holds. */
const LONG = `add(${"1".repeat(5_000)})`;
const SPECS = ["add(1, 2)", LONG];

const specOf = async (store: Store, id: JobId): Promise<string | undefined> => shown(await store.spec(id));
const submitted = async (store: Store, options: Partial<NewJob>): Promise<JobId> => {
  const job = newJob(options);
  await submit(store, job);
  return job.id;
};

export function describeSpecs(open: OpenStore): void {
  describe.each(SPECS)("the spec of a job", (text) => {
    const spec = bytes(text);

    test(
      "can be read while it waits and runs, and after it failed or was cancelled, not after it succeeded",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const waiting = await submitted(store, { spec, queue: "none" });
        expect(await specOf(store, waiting)).toBe(text);
        for (const next of ["succeeded", "failed", "cancelled"] as const) {
          const id = await runningJob(store, N1, { spec });
          expect(await specOf(store, id)).toBe(text);
          await store.finish(N1, [{ id, attempt: 1, next, outcome: bytes(next) }]);
          expect(await specOf(store, id)).toBe(next === "succeeded" ? undefined : text);
          const [record] = await store.read([id]);
          expect(shown(record?.outcome)).toBe(next);
        }
        expect(await store.spec(newId())).toBeUndefined();
      }),
    );

    test(
      "is kept whatever way it came to nothing",
      withStore(open, async ({ store, pass }) => {
        await register(store, N1);
        const running = await runningJob(store, N1, { spec });
        const waiting = await submitted(store, { spec, queue: "none" });
        await store.cancel([running, waiting], bytes("no"));
        await store.finish(N1, [{ id: running, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
        const refused = await submitted(store, { spec, refusal: bytes("no"), offers: only(N1) });
        const unplaced = await submitted(store, { spec, offers: only(HEAD), placement: "p" });
        await store.place([{ id: unplaced, offers: only(), placement: "none", refusal: bytes("no") }]);
        const blocked = await submitted(store, { spec, after: [newId()] });
        await store.release([{ id: blocked, next: "failed", outcome: bytes("no") }]);
        const late = await submitted(store, { spec, ttlMs: 20, queue: "none" });
        await pass(40);
        await store.expire([{ id: late, outcome: bytes("late") }]);
        for (const id of [running, waiting, refused, unplaced, blocked, late]) {
          const [record] = await store.read([id]);
          expect(["failed", "cancelled"]).toContain(record?.state);
          expect(await specOf(store, id)).toBe(text);
        }
      }),
    );

    test(
      "is kept of a job that died with its node as often as it may, with its deaths",
      withStore(open, async ({ store, pass }) => {
        await register(store, N1, SHORT_LEASE_MS);
        const id = await runningJob(store, N1, { spec });
        await pass(SHORT_LEASE_MS / 2);
        await register(store, N2);
        await pass(SHORT_LEASE_MS);
        const { exhausted } = await store.sweep(N2, 1);
        expect(exhausted).toMatchObject([{ id, attempt: 2, deaths: 1 }]);
        await store.finish(N2, [{ id, attempt: 2, next: "failed", outcome: bytes("lost") }]);
        expect(await specOf(store, id)).toBe(text);
        const [record] = await store.read([id]);
        expect(record?.pastDeaths).toEqual([expect.stringContaining("n1")]);
      }),
    );

    test(
      "goes with its record",
      withStore(
        open,
        async ({ store, pass }) => {
          const id = await submitted(store, { spec, refusal: bytes("no") });
          expect(await specOf(store, id)).toBe(text);
          await pass(600);
          expect(await store.spec(id)).toBeUndefined();
        },
        { resultTtlMs: 500 },
      ),
    );
  });

  test(
    "a job whose id is made of its contents and that is queued again has its new spec, for good",
    withStore(
      open,
      async ({ store, pass }) => {
        await register(store, N1);
        const id = "01999999-0000-8000-8000-000000000000" as JobId;
        await submit(store, newJob({ id, spec: bytes(LONG), refusal: bytes("no") }));
        await submit(store, newJob({ id, spec: bytes(LONG) }));
        await pass(600);
        const [claimed] = await claim(store, N1);
        expect(shown(claimed?.spec)).toBe(LONG);
      },
      { resultTtlMs: 500 },
    ),
  );

  test(
    "each death after which a job went back is told, one by one",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1, { queue: "default" });
      const back = { id, next: "queued", throws: 0 } as const;
      await store.finish(N1, [{ ...back, attempt: 1, deaths: 1, death: "by a signal" }]);
      await claim(store, N1);
      await store.finish(N1, [{ ...back, attempt: 2, deaths: 2, death: "again" }]);
      expect((await store.read([id]))[0]?.pastDeaths).toEqual(["by a signal", "again"]);
      await claim(store, N1);
      await store.finish(N1, [{ id, attempt: 3, next: "succeeded", outcome: bytes("3") }]);
      expect((await store.read([id]))[0]?.pastDeaths).toEqual(["by a signal", "again"]);
    }),
  );

  test(
    "units are measured without being used",
    withStore(
      open,
      async ({ store, pass }) => {
        const units = new Map([[UNIT, bytes("x => x")]]);
        await store.submit({ watcher: HEAD, jobs: [newJob()], units, needs: [UNIT] });
        await pass(300);
        expect(await store.unitSizes([OTHER_UNIT, UNIT])).toEqual([undefined, 6]);
        await pass(300);
        expect(await store.unitSizes([UNIT])).toEqual([undefined]);
      },
      { unitTtlMs: 500 },
    ),
  );
}
