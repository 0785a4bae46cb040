/**
 * What may happen, at random. A step says who does what; which attempts it is about is found where it happens, so a step
 * still makes sense when those before it are taken away to find the shortest history that fails.
 */
import fc from "fast-check";
import type { AttemptEnd } from "../../../src/core/attempt.ts";
import { parseDataUrl } from "../../../src/core/data-url.ts";
import { type JobId, type NodeName, parseJobId, parseUnitHash } from "../../../src/core/ids.ts";
import type {
  ClaimRequest,
  NewJob,
  Offers,
  PlacementRow,
  ReleaseRow,
  SubmitBatch,
} from "../../../src/store/port.ts";
import { bytes, HEAD, N1, N2, N3 } from "../support/harness.ts";

/** So long that no run takes as long; all times here are multiples of it, but for those of leases. */
export const UNIT_MS = 600_000_000;
/**
 * A lease is somewhat longer than so many units. So no lease ever ends at the very moment at which time passed or stood still:
 * which of them came first would be a matter of how long the run itself takes.
 */
export const leaseOf = (units: number): number => units * UNIT_MS + UNIT_MS / 1000;
export const SETTINGS = { resultTtlMs: 3 * UNIT_MS, unitTtlMs: 4 * UNIT_MS, queueLimit: 4 } as const;
export const MAX_DEATHS = 2;

export const NODES: readonly NodeName[] = [N1, N2, N3];
/** The last one only submits, watches and sweeps: it never has a lease. */
export const WATCHERS: readonly NodeName[] = [...NODES, HEAD];
export const IDS: readonly JobId[] = Array.from({ length: 10 }, (_, at) =>
  // The last two are made of their contents.
  parseJobId(`00000000-0000-${at < 8 ? 7 : 8}000-8000-${String(at).padStart(12, "0")}`),
);
export const QUEUES: readonly string[] = ["default", "gpu"];
export const UNITS = ["u", "v"].map((letter) => parseUnitHash(letter.repeat(43)));
/** More than a record of Redis holds. */
const LONG = "x".repeat(5_000);

export interface FinishPlan {
  /** Which of the attempts that the node was given: those that run come first. */
  readonly pick: number;
  readonly end: AttemptEnd["type"];
  readonly isDeliberate: boolean;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly outcome: string;
  /** What is wrong with the row: the attempt is one that never was, or another node's, or the job is not known. */
  readonly amiss: "attempt" | "node" | "job" | undefined;
}

export type Step =
  | { readonly do: "submit"; readonly batch: SubmitBatch }
  | { readonly do: "claim"; readonly request: ClaimRequest }
  | { readonly do: "finish"; readonly node: NodeName; readonly plans: readonly FinishPlan[] }
  /** The node's last finish once more, as if its reply had been lost. */
  | { readonly do: "finish again"; readonly node: NodeName }
  | { readonly do: "cancel" | "watch" | "expire"; readonly node: NodeName; readonly ids: readonly JobId[] }
  | { readonly do: "progress"; readonly node: NodeName; readonly pick: number; readonly done: number }
  | { readonly do: "stream"; readonly node: NodeName; readonly pick: number }
  | { readonly do: "output"; readonly node: NodeName; readonly pick: number; readonly index: number }
  | { readonly do: "place"; readonly node: NodeName; readonly rows: readonly PlacementRow[] }
  | { readonly do: "release"; readonly node: NodeName; readonly rows: readonly ReleaseRow[] }
  | {
      readonly do: "register" | "heartbeat";
      readonly node: NodeName;
      readonly leaseMs: number;
      /** Another process, or another cluster's node. */
      readonly as: "itself" | "another" | "stranger";
    }
  | { readonly do: "leave"; readonly node: NodeName }
  | { readonly do: "sweep"; readonly node: NodeName; readonly maxDeaths: number }
  /** Some nodes send their heartbeats; then time passes. */
  | { readonly do: "pass"; readonly ms: number; readonly beating: readonly NodeName[] };

const node = fc.constantFrom(...NODES);
const watcher = fc.constantFrom(...WATCHERS);
const id = fc.constantFrom(...IDS);
const pick = fc.nat({ max: 5 });
const delayMs = fc.constantFrom(0, 0, UNIT_MS, 2 * UNIT_MS, 5 * UNIT_MS);
const leaseMs = fc.constantFrom(1, 2, 3, 8).map(leaseOf);
const outcome = fc.constantFrom("3", "no", LONG);
const mostly = <Usual, Rare>(usual: Usual, rare: Rare, weight = 19): fc.Arbitrary<Usual | Rare> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, fc.constant(rare));

const offers: fc.Arbitrary<Offers> = fc.record({
  nodes: fc.uniqueArray(fc.record({ node, delayMs }), { maxLength: 3, selector: (offer) => offer.node }),
  othersDelayMs: fc.option(delayMs, { nil: null }),
});
const refused = { refusal: bytes("refused") };
const refusal = mostly({}, refused);
const inputs = [parseDataUrl("my/table"), parseDataUrl("other")];
/** What few jobs have. */
const terms = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  fc.record({ ttlMs: fc.constantFrom(1, 3).map((units) => units * UNIT_MS) }),
  fc.constant({ isAtMostOnce: true }),
  fc.constant({ isAtMostOnce: true, ttlMs: 2 * UNIT_MS }),
);
const waiting = fc.oneof(
  { weight: 4, arbitrary: fc.record({ queue: fc.constantFrom(...QUEUES) }) },
  { weight: 2, arbitrary: fc.record({ queue: fc.constantFrom("default|n1", "gpu|n2") }) },
  {
    weight: 4,
    arbitrary: fc.record({ queue: fc.constantFrom(...QUEUES), offers, placement: fc.constant("first") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      queue: fc.constantFrom(...QUEUES, "default|n1"),
      after: fc.uniqueArray(id, { maxLength: 2 }),
    }),
  },
);
const job: fc.Arbitrary<NewJob> = fc
  .tuple(
    id,
    fc.constantFrom(0, 0, 5, -5),
    mostly(0, 1, 60),
    waiting,
    refusal,
    fc.constantFrom({}, { inputs }, { inputs: [] }),
    terms,
  )
  .map(([of, priority, differs, where, end, given, own]) => {
    const spec = bytes(`${of === IDS[0] ? LONG : "add"}(${differs})`);
    return { id: of, priority, label: "test.add", spec, ...where, ...end, ...given, ...own };
  });
const batch: fc.Arbitrary<SubmitBatch> = fc.record({
  watcher,
  jobs: fc.array(job, { minLength: 1, maxLength: 5 }),
  units: fc
    .oneof({ weight: 2, arbitrary: fc.constant<typeof UNITS>([]) }, fc.subarray(UNITS))
    .map((of) => new Map(of.map((hash) => [hash, bytes(hash)]))),
  needs: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.subarray(UNITS)),
});
const request: fc.Arbitrary<ClaimRequest> = fc.record({
  node,
  queues: fc.constantFrom(["default", "gpu"], ["gpu", "default"], ["default"], ["none", "gpu"]),
  count: fc.constantFrom(1, 1, 2, 3, 0, 20),
  takesData: fc.boolean(),
});
const plan: fc.Arbitrary<FinishPlan> = fc.record({
  pick,
  end: fc.constantFrom("returned", "threw", "threw", "stopped", "died", "died", "not-begun"),
  isDeliberate: mostly(false, true),
  retries: fc.constantFrom(0, 1, 2, 3),
  retryDelayMs: delayMs,
  outcome,
  amiss: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    fc.constantFrom("attempt", "node", "job"),
  ),
});
const placementRow: fc.Arbitrary<PlacementRow> = fc
  .tuple(fc.record({ id, offers, placement: fc.constantFrom("again", "") }), mostly({}, refused, 3))
  .map(([row, end]) => ({ ...row, ...end }));

const releaseRow: fc.Arbitrary<ReleaseRow> = fc.oneof(
  fc.record({ id, next: fc.constant("queued"), inputs: fc.constantFrom(inputs, []) }),
  fc.record({
    id,
    next: fc.constant("queued"),
    inputs: fc.constant(inputs),
    offers,
    placement: fc.constant("late"),
  }),
  fc.record({ id, next: fc.constantFrom("failed", "cancelled"), outcome: outcome.map(bytes) }),
);

const always = <Word extends string>(word: Word): fc.Arbitrary<Word> => fc.constant(word);
const ids = (maxLength: number): fc.Arbitrary<JobId[]> => fc.array(id, { minLength: 1, maxLength });
const weighed: readonly (readonly [number, fc.Arbitrary<Step>])[] = [
  [12, fc.record({ do: always("submit"), batch })],
  [14, fc.record({ do: always("claim"), request })],
  [12, fc.record({ do: always("finish"), node, plans: fc.array(plan, { minLength: 1, maxLength: 3 }) })],
  [2, fc.record({ do: always("finish again"), node })],
  [3, fc.record({ do: always("cancel"), node: watcher, ids: ids(2) })],
  [3, fc.record({ do: always("expire"), node: watcher, ids: ids(5) })],
  [2, fc.record({ do: always("watch"), node: watcher, ids: ids(4) })],
  [1, fc.record({ do: always("stream"), node, pick })],
  [2, fc.record({ do: always("progress"), node, pick, done: fc.nat({ max: 3 }) })],
  [2, fc.record({ do: always("output"), node, pick, index: fc.nat({ max: 2 }) })],
  [
    4,
    fc.record({
      do: always("place"),
      node: watcher,
      rows: fc.array(placementRow, { minLength: 1, maxLength: 5 }),
    }),
  ],
  [
    4,
    fc.record({
      do: always("release"),
      node: watcher,
      rows: fc.array(releaseRow, { minLength: 1, maxLength: 5 }),
    }),
  ],
  [
    5,
    fc.record({
      do: fc.constantFrom("register", "register", "heartbeat"),
      node,
      leaseMs,
      as: fc.oneof({ weight: 19, arbitrary: fc.constant("itself") }, fc.constantFrom("another", "stranger")),
    }),
  ],
  [2, fc.record({ do: always("leave"), node })],
  [
    8,
    fc.record({
      do: always("sweep"),
      node: watcher,
      maxDeaths: fc.constantFrom(1, 1, MAX_DEATHS, 3),
    }),
  ],
  [
    6,
    fc.record({
      do: always("pass"),
      ms: fc.constantFrom(1, 1, 1, 2, 3).map((units) => units * UNIT_MS),
      beating: fc.subarray([...NODES]),
    }),
  ],
];
export const step: fc.Arbitrary<Step> = fc.oneof(
  ...weighed.map(([weight, arbitrary]) => ({ weight, arbitrary })),
);
