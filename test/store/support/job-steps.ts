import fc from "fast-check";
import type { JobId, NodeName } from "../../../src/core/ids.ts";
import type {
  ClaimRequest,
  Expiring,
  FinishReply,
  FinishRow,
  NewJob,
  NodeRegistration,
  Offers,
  PlacementRow,
  Store,
  Swept,
} from "../../../src/store/port.ts";
import { bytes, HEAD, N1, N2, N3, newId, newJob, TERMS } from "./harness.ts";

export const IDS: readonly JobId[] = Array.from({ length: 12 }, newId);
/** So long that no test sees it pass by itself. */
export const LATER_MS = 600_000;

/** What time or an accident does, done by hand in each store's own way. */
export interface Hands {
  /** Ends a node's lease. */
  readonly lapse: (node: NodeName) => Promise<void>;
  /** Has the time come that anything waits for: offers and delayed jobs are visible, and what expires has. */
  readonly ripen: () => Promise<void>;
}

export type JobStep =
  | { readonly do: "submit"; readonly jobs: readonly NewJob[] }
  | { readonly do: "claim"; readonly request: ClaimRequest }
  | {
      readonly do: "finish";
      readonly rows: readonly FinishRow[];
      readonly lag: number;
      readonly by: NodeName;
    }
  | { readonly do: "cancel"; readonly ids: readonly JobId[] }
  | { readonly do: "expire"; readonly ids: readonly JobId[] }
  | { readonly do: "place"; readonly rows: readonly PlacementRow[] }
  | {
      readonly do: "sweep" | "register" | "heartbeat" | "leave" | "lapse" | "ripen";
      readonly node: NodeName;
    };

/** Does a step, and gives what both stores have to agree on. */
export async function performJobStep(store: Store, step: JobStep, hands: Hands): Promise<unknown> {
  switch (step.do) {
    case "submit":
      return store.submit({ watcher: HEAD, jobs: step.jobs, units: new Map(), needs: [] });
    case "claim": {
      const reply = await store.claim(step.request);
      if (reply.type === "lapsed" || reply.nextVisibleMs === undefined) return reply;
      return { ...reply, nextVisibleMs: Math.ceil(reply.nextVisibleMs / LATER_MS) };
    }
    case "finish":
      return finish(store, step);
    case "cancel":
      return store.cancel(step.ids, bytes("why"));
    case "expire":
      return overdue(await store.expire(step.ids.map((id) => ({ id, outcome: bytes("too late") }))));
    case "place":
      return store.place(step.rows);
    case "sweep":
      return sorted(await store.sweep(step.node, 2));
    case "register":
    case "heartbeat":
      return store[step.do](registration(step.node));
    case "leave":
      return store.leave(step.node);
    case "lapse":
      return hands.lapse(step.node);
    case "ripen":
      return hands.ripen();
  }
}

/** Mostly by the node that runs the first job, and under the attempts that run: what comes at random is seldom right. */
async function finish(store: Store, { rows, lag, by }: JobStep & { do: "finish" }): Promise<FinishReply[]> {
  const records = await store.read(rows.map((row) => row.id));
  const running = records.find((record) => record?.state === "running");
  return store.finish(
    lag === 0 ? (running?.node ?? by) : by,
    rows.map((row, at) => ({ ...row, attempt: (records[at]?.attempt ?? 1) - lag })),
  );
}

export function registration(name: NodeName, leaseMs = 1000 * LATER_MS): NodeRegistration {
  return { name, incarnation: "a", terms: TERMS, leaseMs, facts: "" };
}

/** Exhausted jobs come in no certain order, unplaced ones in that of a queue. */
function sorted({ exhausted, unplaced }: Swept): Swept {
  return { exhausted: exhausted.toSorted((a, b) => a.id.localeCompare(b.id)), unplaced };
}

/** In no certain order, and without what the hand of time has changed. */
function overdue({ due, nextMs }: Expiring): unknown {
  const jobs = due.map((job) => ({ ...job, ttlMs: 0 })).toSorted((a, b) => a.id.localeCompare(b.id));
  return { jobs, next: nextMs === undefined ? undefined : Math.ceil(nextMs / LATER_MS) };
}

const id = fc.constantFrom(...IDS);
const node = fc.constantFrom(N1, N2, N3);
const delayMs = fc.constantFrom(0, 0, LATER_MS, 2 * LATER_MS);
const offers: fc.Arbitrary<Offers> = fc.record({
  nodes: fc.uniqueArray(fc.record({ node, delayMs }), { maxLength: 3, selector: (offer) => offer.node }),
  othersDelayMs: fc.oneof(fc.constant(null), delayMs),
});
/** Now and then an outcome. */
const refusal = fc.oneof(
  { weight: 9, arbitrary: fc.constant({}) },
  fc.constant({ refusal: bytes("refused") }),
);
/** What few jobs have. */
const terms = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  fc.record({ ttlMs: fc.constantFrom(LATER_MS, 2 * LATER_MS) }),
  fc.constant({ isAtMostOnce: true }),
  fc.constant({ isAtMostOnce: true, ttlMs: LATER_MS }),
);
const job: fc.Arbitrary<NewJob> = fc
  .tuple(
    terms,
    fc.record({
      id,
      priority: fc.constantFrom(0, 0, 5, -5),
      spec: fc.constantFrom(...Array<string>(9).fill("a"), "b").map(bytes),
    }),
    fc.oneof(fc.constant({}), fc.record({ offers, placement: fc.constant("first") })),
    refusal,
  )
  .map(([own, usual, offered, refused]) => newJob({ ...own, ...usual, ...offered, ...refused }));
const placementRow: fc.Arbitrary<PlacementRow> = fc
  .tuple(fc.record({ id, offers, placement: fc.constant("again") }), refusal)
  .map(([row, refused]) => ({ ...row, ...refused }));
const finishRow: fc.Arbitrary<FinishRow> = fc
  .record({
    id,
    attempt: fc.constant(1),
    next: fc.constantFrom("succeeded", "failed", "cancelled", "queued", "queued"),
    delayMs,
  })
  .map(({ delayMs: pauseMs, ...row }) =>
    row.next === "queued"
      ? { ...row, next: row.next, deaths: 1, throws: 1, death: "it died", delayMs: pauseMs }
      : { ...row, next: row.next, outcome: bytes(row.next) },
  );

const always = <Word extends string>(word: Word): fc.Arbitrary<Word> => fc.constant(word);
export const jobStep: fc.Arbitrary<JobStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: always("submit"), jobs: fc.array(job, { minLength: 1, maxLength: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: always("claim"),
      request: fc.record({
        node,
        queues: fc.constant(["none", "default"]),
        count: fc.nat({ max: 3 }),
        takesData: fc.boolean(),
      }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: always("finish"),
      rows: fc.array(finishRow, { minLength: 1, maxLength: 3 }),
      lag: fc.constantFrom(0, 0, 0, 0, 1),
      by: node,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: always("cancel"), ids: fc.array(id, { maxLength: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: always("expire"), ids: fc.array(id, { maxLength: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: always("place"), rows: fc.array(placementRow, { maxLength: 5 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "sweep",
        "sweep",
        "register",
        "register",
        "register",
        "leave",
        "lapse",
        "heartbeat",
        "ripen",
      ),
      node,
    }),
  },
);
