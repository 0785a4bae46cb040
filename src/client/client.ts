import { KitchenError } from "../core/errors.ts";
import { parseJobId } from "../core/ids.ts";
import type { FunctionInfo } from "../core/messages.ts";
import { ClientData } from "./remote-data/client-data.ts";
import {
  calleeOf,
  encodeCall,
  type AnyFunction,
  type Callee,
  type CallOptions,
} from "./calls/encode-call.ts";
import { HttpData } from "./remote-data/http-data.ts";
import { contentId } from "./calls/content-id.ts";
import { gather, type Gathered } from "./jobs/gather.ts";
import { newJobId } from "./calls/new-job-id.ts";
import { Job } from "./jobs/job.ts";
import type { WithJobs } from "./calls/job-argument.ts";
import { JobAccess } from "./jobs/job-access.ts";
import { JobMap, type Started } from "./jobs/job-map.ts";
import { parseFunctions, parseNodes, type NodeStatus } from "./listings.ts";
import {
  type ClientOptions,
  type ConnectOptions,
  DEFAULTS,
  isInterruptible,
  type Settings,
  settingsFrom,
} from "./options.ts";
import { outputOf } from "./output/output.ts";
import { rpcProxy, type Rpc } from "./calls/rpc.ts";
import type { Returned } from "./jobs/remote-items.ts";
import { parseUrl } from "./connection/node-url.ts";
import { share, type Shared } from "./connection/shared.ts";
import { traceCall, type CallTrace } from "./tracing.ts";
import type { TrackedJob } from "./jobs/tracked-job.ts";

/**
 * Calls functions on a cluster, through one of its nodes.
 *
 * @example
 * ```ts
 * const c = new Client("http://localhost:6323/");
 * const sum = await c.call((a: number, b: number) => a + b, 1, 2); // 3
 * await c.close();
 * ```
 */
export class Client implements AsyncDisposable {
  /** The address of the node. */
  readonly url: URL;
  readonly #shared: Shared;
  readonly #settings: Settings;
  readonly #callOptions: CallOptions;
  readonly #queue: string;
  #data: ClientData | undefined;
  #jobAccess: JobAccess | undefined;

  /**
   * A client of the node at this address, which is first asked for something with the first call.
   *
   * @param url such as `http://localhost:6323/`
   * @throws KitchenError `KS_USAGE` for a bad address or option
   */
  constructor(url: string | URL, options?: ConnectOptions);
  /** @internal */
  constructor(url: string | URL, options: ConnectOptions, derived?: { shared: Shared; settings: Settings });
  constructor(
    url: string | URL,
    options: ConnectOptions = {},
    derived?: { shared: Shared; settings: Settings },
  ) {
    this.url = parseUrl(url);
    if (derived === undefined) {
      const { token, interrupt, ...others } = options;
      this.#settings = settingsFrom(DEFAULTS, others);
      this.#shared = share(this.url, { token, hears: isInterruptible(interrupt) });
    } else {
      this.#settings = settingsFrom(derived.settings, options);
      this.#shared = derived.shared;
    }
    this.#callOptions = callOptionsOf(this.#settings);
    this.#queue = queueOf(this.#settings);
  }

  /** The data of the cluster, by its urls. */
  get data(): ClientData {
    const { dataHttp: http, realm } = this.#shared;
    return (this.#data ??= new ClientData(new HttpData({ http, client: this, realm })));
  }

  /**
   * A client with other options on the same connection. Closing either closes both.
   *
   * @throws KitchenError `KS_USAGE` for what is no option, and for a value that an option cannot have
   * @example
   * ```ts
   * await c.with({ queue: "gpu", timeoutMs: 60_000, retries: 2 }).call(train, "model-1");
   * ```
   */
  with(options: ClientOptions): Client {
    return new Client(this.url, options, { shared: this.#shared, settings: this.#settings });
  }

  /**
   * Calls a function somewhere on the cluster: a captured one, with all that it refers to as of now, or a registered one
   * by its name.
   *
   * @throws KitchenError `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE`, and `KS_USAGE` for RemoteData that is not saved, at
   *   once; all else when the job is awaited
   * @returns a job; awaited, what the function returns, and of a generator its items as they are made
   * @example
   * ```ts
   * const rows = [1, 2, 3];
   * const total = await c.call((factor: number) => rows.reduce((sum, row) => sum + row * factor, 0), 10);
   * const sum = await c.with({ rpcName: "test" }).call("add", 1, 2);
   * ```
   *
   * Jobs may stand among the arguments, also in arrays, plain objects, Maps and Sets: the call waits for them on the
   * cluster, and the function gets their results, which do not come here. When one fails or is cancelled, so does the call.
   *
   * @example
   * ```ts
   * const table = c.call(loadTable, "sales");
   * const total = await c.call((rows: Row[]) => sumOf(rows), table);
   * ```
   */
  call<Args extends unknown[], Result>(fn: (...args: Args) => Result, ...args: Args): Job<Returned<Result>>;
  call<Args extends unknown[], Result>(
    fn: (...args: Args) => Result,
    ...args: { [Place in keyof Args]: WithJobs<Args[Place]> }
  ): Job<Returned<Result>>;
  call<Result = unknown>(name: string, ...args: unknown[]): Job<Result>;
  call(fn: AnyFunction | string, ...args: unknown[]): Job<unknown> {
    return this.#start(this.#callee(fn), args).job;
  }

  #start(callee: Callee, args: readonly unknown[]): Started<unknown> {
    const trace = traceCall(callee.label);
    try {
      const { job, bytes, tracked } = this.#submit(callee, args, trace.context);
      trace.follow(tracked);
      return { job, bytes };
    } catch (error) {
      trace.fail(error);
      throw error;
    }
  }

  #submit(
    callee: Callee,
    args: readonly unknown[],
    context: CallTrace["context"],
  ): Started<unknown> & { readonly tracked: TrackedJob } {
    const { label } = callee;
    const { output, priority, memoize, async: isQueued } = this.#settings;
    const { instant, connection, realm: ownRealm } = this.#shared;
    // What is made once, whoever asks, is part of nobody's trace.
    const encoded = encodeCall(callee, args, this.#callOptions, memoize ? null : context);
    const { spec, units, inputs, isBlocked } = encoded;
    if (isBlocked && !isQueued) throw noWaiting(label);
    const id = memoize ? contentId(this.#queue, spec) : newJobId();
    const line = isQueued ? connection : instant;
    const submitted = { id, queue: this.#queue, priority, spec, inputs };
    const tracked =
      (memoize ? connection.tracked(id) : undefined) ??
      line.submit(submitted, units, outputOf(output, { id, label }));
    const realm = callee.name === null ? callee.realm : ownRealm;
    return { job: new Job({ id, label, realm, tracked }, this.#jobs), bytes: spec.length, tracked };
  }

  /**
   * Calls a function, as it is now, on every item of any number. Await it for the results in order; iterate over it for
   * results in the order in which they come.
   *
   * @throws KitchenError `KS_CANNOT_CAPTURE` at once; what an item or a call throws when the map is awaited
   * @example
   * ```ts
   * const squares = await c.map((n: number) => n * n, [1, 2, 3]); // [1, 4, 9]
   * for await (const size of c.map(sizeOf, linesOf(hugeFile))) total += size;
   * ```
   */
  map<Item, Result>(
    fn: (item: Item) => Result,
    items: Iterable<Item> | AsyncIterable<Item>,
  ): JobMap<Returned<Result>>;
  map<Item, Result>(
    fn: (item: Item) => Result,
    items: Iterable<WithJobs<Item>> | AsyncIterable<WithJobs<Item>>,
  ): JobMap<Returned<Result>>;
  map<Item, Result>(
    fn: (item: Item) => Result,
    items: Iterable<Item> | AsyncIterable<Item>,
  ): JobMap<Returned<Result>> {
    const callee = this.#callee(fn);
    const { progress } = this.#settings;
    const label = progress === true ? callee.label : progress;
    return new JobMap(items, {
      start: (item) => this.#start(callee, [item]) as Started<Returned<Result>>,
      label: label === false ? undefined : label,
    });
  }

  /**
   * Waits for all jobs in arrays, plain objects, Maps and Sets, however deep.
   *
   * @returns a copy with the results in their places
   * @throws what the first of them that fails throws; the others go on
   * @example
   * ```ts
   * const { low, all } = await c.gather({ low: c.call(lowest, rows), all: [c.call(sum, rows), c.call(count, rows)] });
   * ```
   */
  async gather<const T>(value: T): Promise<Gathered<T>> {
    return await gather(value);
  }

  /**
   * The registered functions of a namespace as typed methods. Give the type of the module that registers them.
   *
   * @param namespace the option `rpcName` by default
   * @example
   * ```ts
   * import type * as api from "./functions.ts";
   * const three = await c.rpc<typeof api>("test").add(1, 2);
   * ```
   */
  rpc<Api>(namespace: string = this.#settings.rpcName): Rpc<Api> {
    const client = this.with({ rpcName: namespace });
    return rpcProxy<Api>((name, args) => client.call(name, ...args));
  }

  /**
   * A job by its id: of this client, of another one, of another process. Awaiting it shows its output too. Ctrl-C does not
   * cancel a job that this client did not submit.
   *
   * @throws KitchenError `KS_BAD_REQUEST` for what is no id; awaited, `KS_NO_SUCH_JOB` when none has it
   * @example
   * ```ts
   * const { state } = await c.job(id).status();
   * ```
   */
  job<Result = unknown>(id: string): Job<Result> {
    const { realm } = this.#shared;
    return new Job<Result>({ id: parseJobId(id), label: "job", realm, tracked: undefined }, this.#jobs);
  }

  /**
   * What a job returned or threw. Results are kept for a day, unless the node was told another `--result-ttl`. Ctrl-C does
   * not cancel a job that this client did not submit.
   *
   * @throws what the job threw; KitchenError `KS_NO_SUCH_JOB` when its result has expired
   * @example
   * ```ts
   * const report = await c.result<Report>(id);
   * ```
   */
  async result<Result>(job: Job<Result>): Promise<Result>;
  async result<Result = unknown>(id: string): Promise<Result>;
  async result(job: Job<unknown> | string): Promise<unknown> {
    return await (typeof job === "string" ? this.job(job) : job);
  }

  /**
   * The functions registered in a namespace.
   *
   * @param namespace the option `rpcName` by default
   * @throws KitchenError `KS_UNKNOWN_FUNCTION` when there is none of that name
   * @example
   * ```ts
   * for (const { name, parameters, doc } of await c.functions("test")) console.log(`${name}(${parameters}): ${doc}`);
   * ```
   */
  async functions(namespace: string = this.#settings.rpcName): Promise<readonly FunctionInfo[]> {
    return parseFunctions(await this.#get(`/v1/functions/${encodeURIComponent(namespace)}`));
  }

  /**
   * The nodes of the cluster.
   *
   * @throws KitchenError `KS_UNAVAILABLE` when the node does not answer
   * @example
   * ```ts
   * const free = (await c.nodes()).filter(({ running, workers }) => running < workers);
   * ```
   */
  async nodes(): Promise<readonly NodeStatus[]> {
    return parseNodes(await this.#get("/v1/nodes"));
  }

  /**
   * Cancels every job of the cluster that waits or runs, whoever submitted it. Instant calls go on, as nothing is stored of
   * them: who made one cancels it by `job.cancel()`.
   *
   * @param reason is in the message of the `KS_CANCELLED` that those who wait get
   * @returns how many there were; without those that were cancelled before and have not stopped yet
   */
  async cancelAll(reason = ""): Promise<number> {
    const { jobs } = (await this.#shared.http.postJson("/v1/cancel", { jobs: "all", reason })) as {
      jobs: Record<string, string>;
    };
    return Object.values(jobs).filter((reply) => reply === "cancelled" || reply === "cancelling").length;
  }

  /**
   * How many jobs and instant calls it waits for, and those that share its connection.
   * @internal
   */
  get waiting(): number {
    return this.#shared.connection.waiting + this.#shared.instant.waiting;
  }

  /** Lets go of the node. Jobs go on; those that are awaited here reject with `KS_CONNECTION_LOST`. */
  async close(): Promise<void> {
    const { connection, instant, dataHttp } = this.#shared;
    await connection.close();
    instant.close();
    dataHttp.close();
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #callee(fn: AnyFunction | string): Callee {
    const { rpcName: namespace, modules } = this.#settings;
    return calleeOf(fn, { namespace, modules });
  }

  get #jobs(): JobAccess {
    const { connection } = this.#shared;
    return (this.#jobAccess ??= new JobAccess({
      connection,
      access: this.data.access,
      output: this.#settings.output,
    }));
  }

  #get(path: string): Promise<unknown> {
    return this.#shared.http.fetchJson({ method: "GET", path });
  }
}

function noWaiting(label: string): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    `Cannot call ${label} instantly: a job is among its arguments, and instant calls wait for none (await the job first, or leave out async: false)`,
  );
}

function callOptionsOf(settings: Settings): CallOptions {
  return { ...settings, namespace: settings.rpcName, streamsOutput: settings.output !== "off" };
}

function queueOf({ queue, node }: Settings): string {
  return node === undefined ? queue : `${queue.split("|")[0]}|${node}`;
}
