/**
 * What every store does, whatever it is made of: the contract that `test/store/conformance.ts` checks against each.
 *
 * Words: a *claim* makes a queued job `running` on one node and raises its `attempt`, which fences everything that
 * the node says of the job afterwards. A node may claim and finish only while its *node lease* holds; the lease is
 * kept by heartbeats and measured by the store's clock alone, which for leases stands still while no node is heard of: a
 * node loses its lease to others that are there, never to an outage of the store. A *watcher* is a node that wants to hear
 * of a job.
 *
 * Every method rejects with KitchenError `KS_UNAVAILABLE` when the store does not answer. The store never looks
 * into `spec` and `outcome`: they are bytes to it.
 */
import type { JobId, NodeName, UnitHash } from "../core/ids.ts";
import type { Catalog } from "./catalog.ts";
import type { Inspection } from "./inspection.ts";
import type { Membership } from "./membership.ts";
import type {
  SubmitBatch,
  PlacementRow,
  ReleaseRow,
  SubmitReply,
  ClaimRequest,
  ClaimReply,
  RunningJob,
  FinishRow,
  FinishReply,
  CancelReply,
  StreamingRow,
  ProgressRow,
  OutputRow,
  OutputPiece,
  JobRecord,
  Swept,
  ExpiryRow,
  Expiring,
  StoreEvent,
} from "./rows.ts";

export * from "./rows.ts";

export interface Store extends Catalog, Inspection, Membership {
  readonly kind: "redis" | "embedded";
  /** For people: `Redis 7.0.15 at tcp://localhost:6379?db=9` */
  readonly description: string;
  /** What the store's keeper should know of at start: an eviction policy that may lose jobs, for one. */
  readonly warnings: readonly string[];

  /**
   * Queues jobs, all or none. Marks the units as used, so that they live as long as the jobs may.
   * A job whose id is known already is not queued again: its row answers `known` when the spec is the same, and when
   * it differs, the whole batch answers `conflict` and nothing is queued. One whose id is made of its contents, and which
   * has failed or was cancelled, is not known any more: it is queued again. When a unit is missing from both `units`
   * and the store, the batch answers `missing` and nothing is queued. When more jobs than the limit would wait in a queue, it
   * answers `full` and nothing is queued. `watcher` watches every job of the batch that is
   * not final yet; of a `known` one that is, no event will come: read it. Nodes other than `watcher` are woken that may
   * take a job, now or later.
   */
  submit(batch: SubmitBatch): Promise<SubmitReply>;

  /**
   * Takes up to `count` jobs: first those for this node alone (`queue|node`), queue by queue in the order given; then, in
   * the same order of queues, those that everybody may take and those whose offers to this node are visible, both as one:
   * higher priority first, then older ones. What may not be begun any more (`ttlMs`) is passed over, and taken
   * off its queue for {@link expire}.
   */
  claim(request: ClaimRequest): Promise<ClaimReply>;

  /**
   * Ends attempts, or gives jobs back to their queues. One reply a row, in order. A row is committed only while the
   * job is running on this node under this attempt. When a cancel was requested meanwhile, the job ends as
   * `cancelled` with the outcome that the cancel brought, whatever the row says, and the reply is `cancelled`.
   * A commit that is repeated answers as the first one did. Watchers other than `node` get a `finished` event. A job that
   * goes back keeps its place among the others.
   */
  finish(node: NodeName, rows: readonly FinishRow[]): Promise<FinishReply[]>;

  /**
   * Cancels. A queued job is `cancelled` at once with `outcome` (its watchers get a `finished` event, `node` too); a
   * running one is marked, and the node that runs it gets a `cancel` event.
   */
  cancel(ids: readonly JobId[], outcome: Uint8Array): Promise<CancelReply[]>;

  /**
   * Says that the results of these attempts are streams of items, which their node holds. Watchers other than `node` get
   * a `streaming` event. Drops what fenced attempts say.
   */
  markStreaming(node: NodeName, rows: readonly StreamingRow[]): Promise<void>;

  /**
   * Says how far these attempts are. Kept while they run. Watchers other than `node` get a `progress` event. Drops what fenced
   * attempts say.
   */
  reportProgress(node: NodeName, rows: readonly ProgressRow[]): Promise<void>;

  /** Adds pieces to jobs' output logs, and sends them to watchers other than `node`. Drops what fenced attempts say. */
  appendOutput(node: NodeName, rows: readonly OutputRow[]): Promise<void>;
  /**
   * A job's output from piece `from` on, in the order of appending; -1: the last piece. Empty when there is none, or no such
   * job.
   */
  readOutput(id: JobId, from: number): Promise<OutputPiece[]>;

  /** One row an id, `undefined` for jobs that are unknown or expired. */
  read(ids: readonly JobId[]): Promise<(JobRecord | undefined)[]>;
  /** As `read`; and from then on `node` gets the events of those jobs that are not final yet. */
  watch(ids: readonly JobId[], node: NodeName): Promise<(JobRecord | undefined)[]>;
  /** Ids of all queued and running jobs. */
  activeJobs(): Promise<JobId[]>;
  /** What runs on the node, as far as the store knows; not what a sweep handed to it. */
  runningJobs(node: NodeName): Promise<RunningJob[]>;

  /** The units' bytes, `undefined` for those the store does not have. Reading marks them as used. */
  units(hashes: readonly UnitHash[]): Promise<(Uint8Array | undefined)[]>;

  /**
   * Says anew to whom jobs are offered that a sweep listed as unplaced. Jobs that are not unplaced any more are left alone:
   * several nodes may place what all of them were told of, and the first one counts. A row with a `refusal` ends its job as
   * failed with it. Nodes that an offer is for are woken, as by `submit`.
   */
  place(rows: readonly PlacementRow[]): Promise<void>;

  /**
   * Says what becomes of blocked jobs, when what they wait for has ended. Jobs that are not blocked any more are left alone:
   * several nodes may release the same ones, and the first one counts. Nodes that may take a job are woken, as by `submit`;
   * of an end every watcher gets a `finished` event.
   */
  release(rows: readonly ReleaseRow[]): Promise<void>;

  /**
   * Looks for nodes whose lease ran out and gives their jobs back to the queues, a death each. Jobs that would
   * reach `maxDeaths`, or run at most once, are not queued again but handed to `node`, running under a new attempt, for it
   * to fail them; each sweep lists them until it has, and when that node goes as well the next one hands them on, without
   * another death. Jobs that were to be cancelled end as cancelled. Every node is woken, `node` too.
   * Also lists jobs to be placed anew: those that were offered to nodes that are gone (or left), and to nobody else that is
   * there. Each sweep lists up to 500 of them, until they are placed or not queued any more. And it looks at up to 100 blocked
   * jobs, not always the same, and lists those as ready that wait only for jobs that have ended or are not known.
   */
  sweep(node: NodeName, maxDeaths: number): Promise<Swept>;

  /**
   * Ends jobs as failed that waited longer than they may, each with its outcome, and lists up to 500 of those that are left:
   * call it with none to begin with, and then with outcomes for those that it listed. Rows of jobs that began or ended
   * meanwhile are left alone: several nodes may do this for the same jobs, and the first one counts. Every watcher gets a
   * `finished` event.
   */
  expire(rows: readonly ExpiryRow[]): Promise<Expiring>;

  /** Starts to deliver events for `node`. At most once a store. Resolves when nothing can be missed any more. */
  subscribe(node: NodeName, onEvent: (event: StoreEvent) => void): Promise<void>;

  /** Lets go of connections and timers; whatever still waits rejects. May be called twice. */
  close(): Promise<void>;
}
