import { randomUUID } from "node:crypto";
import type { JobId, NodeName, UnitHash } from "../../../src/core/ids.ts";
import { parseJobId, parseNodeName, parseUnitHash } from "../../../src/core/ids.ts";
import type { ClusterTerms } from "../../../src/store/membership.ts";
import type {
  ClaimedJob,
  ClaimRequest,
  NewJob,
  Store,
  StoreEvent,
  StoreOptions,
  Swept,
} from "../../../src/store/port.ts";

/** One store under test, and the time it lives in. */
export interface Opened {
  readonly store: Store;
  /** Lets so many ms of the store's clock go by. */
  readonly pass: (ms: number) => Promise<void>;
}
/** Opens a store of a cluster of its own. The caller closes it. */
export type OpenStore = (options?: Partial<StoreOptions>) => Promise<Opened>;

export const DEFAULTS = {
  resultTtlMs: 60_000,
  unitTtlMs: 60_000,
  outputLimitBytes: 1_000_000,
  queueLimit: 1_000_000,
} as const;

/** Ends while a test waits; and not before that on a machine with other work to do. */
export const SHORT_LEASE_MS = 500;

export const HEAD: NodeName = parseNodeName("head");
export const N1: NodeName = parseNodeName("n1");
export const N2: NodeName = parseNodeName("n2");
export const N3: NodeName = parseNodeName("n3");
export const TERMS: ClusterTerms = { token: "1a2b3c4d", protocol: 3 };
export const UNIT: UnitHash = parseUnitHash("u".repeat(43));
export const OTHER_UNIT: UnitHash = parseUnitHash("v".repeat(43));

/** What a sweep answers that finds nothing to do. */
export const NOTHING_SWEPT: Swept = { exhausted: [], unplaced: [], ready: [] };

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const shown = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
export const newId = (): JobId => parseJobId(randomUUID());

export function newJob(options: Partial<NewJob> = {}): NewJob {
  return {
    id: newId(),
    queue: "default",
    priority: 0,
    label: "test.add",
    spec: bytes("add(1, 2)"),
    ...options,
  };
}

/** Submits jobs that the head node watches. */
export async function submit(store: Store, ...jobs: readonly NewJob[]): Promise<void> {
  const reply = await store.submit({ watcher: HEAD, jobs, units: new Map(), needs: [] });
  if (reply.type !== "queued") throw new Error(`The submit answered ${reply.type}`);
}

export async function register(store: Store, name: NodeName, leaseMs = 60_000): Promise<void> {
  const reply = await store.register({
    name,
    incarnation: `${name} 1`,
    terms: TERMS,
    leaseMs,
    facts: "{}",
  });
  if (reply.type !== "registered") throw new Error(`The register answered ${reply.type}`);
}

export async function claim(
  store: Store,
  node: NodeName,
  { count = 10, queues = ["default"], takesData = true }: Partial<Omit<ClaimRequest, "node">> = {},
): Promise<readonly ClaimedJob[]> {
  const reply = await store.claim({ node, queues, count, takesData });
  if (reply.type !== "claimed") throw new Error(`The claim answered ${reply.type}`);
  return reply.jobs;
}

/** A job that runs on `node`, under attempt 1 unless it ran before. */
export async function runningJob(
  store: Store,
  node: NodeName,
  options: Partial<NewJob> = {},
): Promise<JobId> {
  const job = newJob({ queue: `q${randomUUID().slice(0, 8)}`, ...options });
  await submit(store, job);
  const [claimed] = await claim(store, node, { queues: [job.queue] });
  if (claimed?.id !== job.id) throw new Error("Another job was claimed");
  return job.id;
}

export async function state(store: Store, id: JobId): Promise<string | undefined> {
  const [record] = await store.read([id]);
  return record?.state;
}

/** Events in the order of coming. */
export class Inbox {
  readonly #events: StoreEvent[] = [];
  readonly #waiting: ((event: StoreEvent) => void)[] = [];

  readonly add = (event: StoreEvent): void => {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#events.push(event);
    else waiter(event);
  };

  get count(): number {
    return this.#events.length;
  }

  next(): Promise<StoreEvent> {
    const event = this.#events.shift();
    return event === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(event);
  }
}

/** Subscribes for a node. */
export async function inboxOf(store: Store, node: NodeName): Promise<Inbox> {
  const inbox = new Inbox();
  await store.subscribe(node, inbox.add);
  return inbox;
}

/** The body of a test that has a fresh store, which is closed afterwards. */
export function withStore(
  open: OpenStore,
  body: (opened: Opened) => Promise<void>,
  options?: Partial<StoreOptions>,
): () => Promise<void> {
  return async () => {
    const opened = await open(options);
    try {
      await body(opened);
    } finally {
      await opened.store.close();
    }
  };
}
