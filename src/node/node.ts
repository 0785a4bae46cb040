import { randomUUID } from "node:crypto";
import { dashboardLink } from "../client/dashboard-link.ts";
import { KitchenError, messageOf } from "../core/errors.ts";
import type { NodeName } from "../core/ids.ts";
import type { NamespaceInfo } from "../core/messages.ts";
import type { DataDirectory } from "../data/directory.ts";
import type { Room } from "../data/space.ts";
import type { Loss } from "../data/types.ts";
import { OomKills } from "../worker/oom-kills.ts";
import { OrphanGuard } from "../worker/orphan-guard.ts";
import type { WorkerProcess } from "../worker/worker-process.ts";
import { BlockedJobs } from "./jobs/blocked-jobs.ts";
import { Activity } from "./activity/activity.ts";
import { observe, type Observers } from "./activity/observers.ts";
import { Doctor, type Vitals } from "./doctor/doctor.ts";
import { failExhausted } from "./jobs/exhausted.ts";
import { tellFacts } from "./facts.ts";
import { Hub } from "./watching/hub.ts";
import { DataService } from "./data/data-service.ts";
import { roomNews } from "./data/room-news.ts";
import { type Access, accessTo } from "./http/access.ts";
import { createServer } from "./http/server.ts";
import { ItemReaders } from "./streams/item-readers.ts";
import { Lanes } from "./lanes/lanes.ts";
import { Lease } from "./lease.ts";
import { listen } from "./start/listen.ts";
import { openDirectory } from "./start/open-directory.ts";
import { type NodeOptions, queuesOf, termsOf } from "./options.ts";
import { Overdue } from "./jobs/overdue.ts";
import { Router } from "./jobs/router.ts";
import { addRoutes } from "./routes.ts";
import { Metrics } from "./metrics/metrics.ts";
import { Policy } from "./policy.ts";
import { ProgressReports } from "./jobs/progress-reports.ts";
import { Recovery } from "./jobs/recovery.ts";
import type { RunningNode } from "./running-node.ts";
import { spawnWorker } from "./lanes/spawn-worker.ts";
import { receive } from "./watching/store-events.ts";
import { StoreWriter } from "./jobs/store-writer.ts";
import { Streams } from "./streams/streams.ts";
import { Submissions } from "./jobs/submissions.ts";
import { UnitCache } from "./jobs/unit-cache.ts";

const MAX_DEATHS = 3;

/**
 * Starts a node: workers, HTTP, its place in the cluster. Resolves when calls can run.
 * @throws KitchenError when the port is taken, a module fails, the store does not answer …; nothing is left running
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  let node: Node | undefined;
  const directory = await openDirectory(options, {
    onLost: (loss) => node?.lose(loss),
    onRoom: (room) => node?.tellRoom(room),
  });
  const guard = new OrphanGuard();
  try {
    node = new Node(options, directory, guard);
    if (directory.room.isFull) node.tellRoom(directory.room);
    await node.start();
    return node;
  } catch (error) {
    const opened = [directory, options.store, guard];
    await (node === undefined ? Promise.all(opened.map((each) => each.close())) : node.close(0));
    throw error;
  }
}

class Node implements RunningNode {
  readonly name: NodeName;
  readonly url: URL;
  readonly #options: NodeOptions;
  readonly #guard: OrphanGuard;
  readonly #oomKills = new OomKills();
  readonly #hub = new Hub((id, state) => this.#blocked.ended(id, state));
  readonly #streams = new Streams();
  readonly #activity = new Activity();
  readonly #metrics: Metrics;
  readonly #readers: ItemReaders;
  readonly #policy: Policy;
  readonly #units: UnitCache;
  readonly #writer: StoreWriter;
  readonly #lanes: Lanes;
  readonly #lease: Lease;
  readonly #blocked: BlockedJobs;
  readonly #progress: ProgressReports;
  readonly #overdue: Overdue;
  readonly #recovery: Recovery;
  readonly #data: DataService;
  readonly #router: Router;
  readonly #access: Access;
  readonly #server: ReturnType<typeof createServer>;
  #stopWatching: () => Promise<void> = async () => {};
  /** Where it listens. */
  #port = 0;
  #hasJoined = false;
  #closing: Promise<void> | undefined;

  constructor(options: NodeOptions, directory: DataDirectory, guard: OrphanGuard) {
    const { name, store, log } = options;
    const warn = (message: string): void => log.warn(message);
    this.name = name;
    this.url = new URL(options.url);
    this.#options = options;
    this.#guard = guard;
    this.#policy = new Policy(options.isArbitraryBanned);
    this.#units = new UnitCache(store);
    this.#progress = new ProgressReports({ node: name, store });
    this.#writer = new StoreWriter({
      store,
      node: name,
      hub: this.#hub,
      warn,
      onDiscarded: ({ id, attempt }) => this.#data.results.drop(id, attempt),
      onFlushed: (hasRequeued) => {
        if (!hasRequeued) return this.#lanes.queue.runner.freed();
        this.#lanes.queue.runner.wake();
        // One may wait longer by now than it is worth.
        this.#overdue.lookIn(0);
      },
    });
    this.#lanes = new Lanes({
      ...options,
      node: name,
      units: this.#units,
      writer: this.#writer,
      streams: this.#streams,
      policy: this.#policy,
      queues: queuesOf(options),
      workerMemoryBytes: options.workerMemoryBytes,
      maxDeaths: MAX_DEATHS,
      activity: this.#activity,
      spawn: (slot, keepsResults) => this.#spawn(slot, keepsResults),
      takesData: () => this.#data.takesData,
      onProgress: (row) => {
        this.#hub.progress(row);
        this.#progress.add(row);
      },
      onLapsed: () => void this.#orWarn("take up the lease again", this.#lease.renew()),
      warn,
    });
    this.#readers = new ItemReaders({
      node: name,
      store,
      streams: this.#streams,
      token: options.token,
      isConnected: (client) => this.#hub.isConnected(client),
      warn,
    });
    const { token, cluster, isReadOnly, dataThresholdBytes: thresholdBytes } = options;
    this.#data = new DataService({ node: name, cluster, token, isReadOnly, directory, store, warn });
    this.#router = new Router({ store, thresholdBytes });
    this.#blocked = new BlockedJobs({ node: name, store, router: this.#router, warn });
    this.#overdue = new Overdue({ store, warn, onFailed: this.#activity.failedUnbegun });
    this.#lease = this.#createLease(warn);
    this.#recovery = new Recovery({
      node: name,
      store,
      hub: this.#hub,
      lease: this.#lease,
      writer: this.#writer,
      dispatcher: this.#lanes.queue.runner,
      blocked: this.#blocked,
      warn,
    });
    this.#access = accessTo(options);
    this.#server = createServer({ guard: this.#access.guard, cluster, warn });
    this.#metrics = new Metrics({
      activity: this.#activity,
      store,
      pools: { queue: this.#lanes.queue.pool, instant: this.#lanes.instant.pool },
      directory,
      running: () => this.#lanes.queue.runner.running,
      queues: queuesOf(options),
    });
    this.#addRoutes();
  }

  dashboardLink(): URL {
    return dashboardLink(this.url, this.#access.sessions?.newCode() ?? null);
  }

  get namespaces(): readonly NamespaceInfo[] {
    return this.#policy.namespaces;
  }

  async start(): Promise<void> {
    const { store, host, modules, reloads, log } = this.#options;
    const { port: wanted = Number(this.url.port || 80) } = this.#options;
    this.#port = await listen(this.#server, { host, port: wanted });
    if (this.url.port === "0") this.url.port = String(this.#port);
    await this.#lanes.queue.pool.start().catch((cause: unknown) => {
      const reason = messageOf(cause);
      throw new KitchenError("KS_MODULE_FAILED", `Cannot start workers: ${reason}`, { cause });
    });
    const listeners = { hub: this.#hub, dispatcher: this.#lanes.queue.runner, recovery: this.#recovery };
    await store.subscribe(this.name, (event) => receive(event, listeners));
    await this.#lease.take();
    this.#hasJoined = true;
    this.#data.results.start();
    // Behind all that, so that it does not slow down the start.
    void this.#lanes.instant.pool.start().catch((error: unknown) => {
      if (this.#closing === undefined) log.warn(`the instant lane does not start: ${String(error)}`);
    });
    this.#data.repair(this.#data.directory.lost);
    await this.#data.adoptAll(this.#options.adopts);
    for (const warning of store.warnings) log.warn(warning);
    this.#lanes.queue.runner.resume();
    if (!reloads) return;
    const { watchModules } = await import("./lanes/reload.ts");
    this.#stopWatching = watchModules(modules, { renew: () => this.#renew(), log });
  }

  /** A file turned out to be gone or damaged. Resolves when the catalog knows, if it can be told. */
  async lose(loss: Loss): Promise<void> {
    await this.#orWarn("tell the catalog", this.#data.lose(loss));
  }

  /** The data directory's disk has got full, or there is room again: others need not wait for the next heartbeat. */
  tellRoom(room: Room): void {
    this.#options.log.warn(roomNews(room));
    if (!this.#hasJoined) return;
    this.#lease.renew().catch(() => {});
    if (!room.isFull) this.#lanes.queue.runner.wake();
  }

  close(graceMs: number): Promise<void> {
    if (this.#closing !== undefined && graceMs === 0) this.#stopNow();
    return (this.#closing ??= this.#close(graceMs));
  }

  #stopNow(): void {
    this.#lanes.abandonAll();
    this.#data.transfers.cut();
  }

  async #close(graceMs: number): Promise<void> {
    const { store } = this.#options;
    const paused = this.#lanes.queue.runner.pause();
    this.#overdue.close();
    this.#progress.close();
    await this.#stopWatching();
    const work = [this.#lanes.queue.runner, this.#lanes.instant.runner, this.#data.transfers];
    await Promise.all(work.map((each) => each.idle(graceMs)));
    this.#stopNow();
    await this.#lanes.queue.pool.close();
    await paused;
    // A store that is away now gets no more than one try: the lease will run out by itself.
    this.#writer.close();
    await this.#writer.drained().catch(() => {});
    if (this.#hasJoined) await this.#orWarn("leave the cluster", this.#lease.leave());
    await this.#lanes.instant.pool.close();
    this.#streams.close();
    this.#metrics.close();
    this.#readers.close();
    await this.#server.close();
    await this.#data.close();
    await store.close();
    await this.#guard.close();
  }

  #spawn(slot: number, keepsResults: boolean): WorkerProcess {
    const options = { ...this.#options, port: this.#port };
    const [guard, oomKills, { url }] = [this.#guard, this.#oomKills, this];
    const worker = spawnWorker(options, { guard, oomKills, url, slot, keepsResults });
    void worker.exited.then(() => this.#data.abandonParts(worker.pid)).catch(() => {});
    return worker;
  }

  async #renew(): Promise<void> {
    await this.#lanes.renew();
    await this.#lease.renew();
  }

  #createLease(warn: (message: string) => void): Lease {
    const { name, cluster, store, leaseMs, log } = this.#options;
    return new Lease({
      store,
      name,
      cluster,
      terms: termsOf(this.#options),
      incarnation: randomUUID(),
      leaseMs,
      maxDeaths: MAX_DEATHS,
      // A wake-up may get lost on its way; no job waits longer than this for it.
      onBeat: () => {
        this.#lanes.queue.runner.wake();
        void this.#overdue.look();
        this.#recovery.onBeat();
        // A note to drop a file may have come while the node was away.
        const lookedAfter = [this.#data.directory.look(), this.#data.replicas.lookAfter()];
        void this.#orWarn("look after the data", Promise.all(lookedAfter));
      },
      onJoined: async () => {
        // Whoever lost its place may have lost it because the store is empty: who waits is told.
        if (this.#hasJoined) this.#recovery.begin();
        await this.#data.replicas.enterAll();
      },
      facts: () =>
        tellFacts(this.#options, {
          url: this.url,
          room: this.#data.directory.room,
          queue: this.#lanes.queue,
          namespaces: this.#policy.namespaces,
        }),
      onLapsed: async () => {
        log.warn("the lease had run out: other nodes run this node's jobs now");
        await this.#lanes.queue.runner.loseAll();
      },
      onExhausted: (jobs) => {
        failExhausted(jobs, this.#writer);
        this.#activity.failedUnbegun(jobs);
      },
      onReady: (jobs) => this.#blocked.ready(jobs),
      onUnplaced: (jobs) => void this.#orWarn("place jobs anew", this.#router.placeAnew(jobs)),
      warn,
    });
  }

  #vitals(): Vitals {
    const { numWorkers: workers, isReadOnly } = this.#options;
    const { startFailures } = this.#lanes;
    return { queues: queuesOf(this.#options), workers, startFailures, isReadOnly };
  }

  #unready(): string | undefined {
    if (this.#closing !== undefined) return "the node is leaving";
    if (!this.#hasJoined) return "the node is starting";
    return this.#lease.isHeld ? undefined : "the store does not answer";
  }

  #observers(): Observers {
    return observe({
      node: this.name,
      store: this.#options.store,
      peers: this.#data.peers,
      activity: this.#activity,
      lanes: this.#lanes,
      directory: this.#data.directory,
      queues: queuesOf(this.#options),
      isReadOnly: this.#options.isReadOnly,
    });
  }

  #addRoutes(): void {
    const { store } = this.#options;
    const [hub, writer, units, router] = [this.#hub, this.#writer, this.#units, this.#router];
    const submissions = new Submissions({
      node: this.name,
      store,
      hub,
      units,
      router,
      blocked: this.#blocked,
      activity: this.#activity,
      argumentBytes: this.#options.argumentBytes ?? Infinity,
      isArbitraryAllowed: (namespace) => this.#policy.isArbitraryAllowed(namespace),
      drained: () => writer.drained(),
      onSubmitted: () => this.#lanes.queue.runner.wake(),
      onExpiring: (ttlMs) => this.#overdue.lookIn(ttlMs),
    });
    addRoutes(this.#server, {
      node: this.name,
      store,
      hub,
      writer,
      units,
      lane: this.#lanes.instant.runner,
      streams: this.#streams,
      readers: this.#readers,
      submissions,
      data: this.#data,
      doctor: new Doctor({ node: this.name, store, data: this.#data, vitals: () => this.#vitals() }),
      ...this.#access,
      ...this.#observers(),
      queues: queuesOf(this.#options),
      unready: () => this.#unready(),
      namespaces: () => this.#policy.namespaces,
      metrics: this.#metrics,
      clusterName: this.#options.cluster,
      asksForToken: this.#options.token !== null,
    });
  }

  /** For what is tried again later, or need not succeed. */
  async #orWarn(what: string, done: Promise<unknown>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.#options.log.warn(`cannot ${what}: ${messageOf(error)}`);
    }
  }
}
