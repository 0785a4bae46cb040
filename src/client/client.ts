import { KitchenError } from "../core/errors.ts";
import { parseJobId, parseQueue, type JobId } from "../core/ids.ts";
import type { FunctionInfo } from "../core/messages.ts";
import { MAX_PRIORITY, MAX_TIMEOUT_MS } from "../codec/wire.ts";
import { Connection } from "./connection.ts";
import { calleeOf, encodeCall, type AnyFunction, type Callee } from "./encode-call.ts";
import { Http } from "./http.ts";
import { InstantCaller } from "./instant.ts";
import { newJobId } from "./new-job-id.ts";
import { Job, type JobStatus } from "./job.ts";
import { JobMap } from "./job-map.ts";
import { parseFunctions, parseNodes, parseStatus, type NodeStatus } from "./listings.ts";
import { checkOutputOption, outputOf, type OutputOption } from "./output.ts";
import { followOutput } from "./output-follower.ts";
import { rpcProxy, type Rpc } from "./rpc.ts";
import { findToken } from "./token.ts";
import type { Settled } from "./tracked-job.ts";

/** How calls are made; `with` changes any of it for a derived client. */
export interface ClientOptions {
  /** The namespace of registered functions, and the one captured functions run under. Default: `default`. */
  readonly rpcName?: string;
  /** Default: `default`. `gpu` for nodes that were started with `--queue gpu`; `gpu|node3` for one of them. */
  readonly queue?: string;
  /** Run on this node alone. */
  readonly node?: string;
  /** `closure` (default), `structured`, `json`, or one that was registered. */
  readonly codec?: string;
  /** `true` (default): through the queue. `false`: at once, on a worker kept for that; the call is not stored. */
  readonly async?: boolean;
  /** Where the output of jobs goes. Default: `inherit`. */
  readonly output?: OutputOption;
  /** Deadline in ms for each attempt, from its begin; then `KS_TIMEOUT`. Default: none. */
  readonly timeoutMs?: number;
  /** How often an attempt that throws is followed by another. Default: 0. */
  readonly retries?: number;
  /** -1000 (last) to 1000 (first). Default: 0. */
  readonly priority?: number;
}

export interface ConnectOptions extends ClientOptions {
  /** Default: `KITCHENSINK_TOKEN`, or, for a node on this machine, this user's token file. */
  readonly token?: string;
}

type Settings = Required<Omit<ClientOptions, "node">> & { readonly node: string | undefined };

/** What a job waits for. */
interface Waiting {
  readonly settled: () => Promise<Settled>;
  readonly submitted: Promise<void>;
  readonly cancel?: (reason: string) => Promise<void>;
}

interface Shared {
  readonly http: Http;
  readonly connection: Connection;
  readonly instant: InstantCaller;
}

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
  readonly url: URL;
  readonly #shared: Shared;
  readonly #settings: Settings;

  /** @throws KitchenError `KS_USAGE` for a bad address or option */
  constructor(url: string | URL, options?: ConnectOptions);
  /** @internal */
  constructor(url: string | URL, options: ConnectOptions, derived?: { shared: Shared; settings: Settings });
  constructor(
    url: string | URL,
    options: ConnectOptions = {},
    derived?: { shared: Shared; settings: Settings },
  ) {
    this.url = parseUrl(url);
    this.#shared = derived?.shared ?? share(this.url, options.token);
    this.#settings = settingsFrom(derived?.settings ?? DEFAULTS, options);
  }

  /** A client with other options on the same connection. Closing either closes both. */
  with(options: ClientOptions): Client {
    return new Client(this.url, options, { shared: this.#shared, settings: this.#settings });
  }

  /**
   * Calls a function somewhere on the cluster: a captured one, with all that it refers to as of now, or a registered one
   * by its name.
   *
   * @throws KitchenError `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE` at once; all else when the job is awaited
   * @example
   * ```ts
   * const rows = [1, 2, 3];
   * const total = await c.call((factor: number) => rows.reduce((sum, row) => sum + row * factor, 0), 10);
   * const sum = await c.with({ rpcName: "test" }).call("add", 1, 2);
   * ```
   */
  call<Args extends unknown[], Result>(fn: (...args: Args) => Result, ...args: Args): Job<Awaited<Result>>;
  call<Result = unknown>(name: string, ...args: unknown[]): Job<Result>;
  call(fn: AnyFunction | string, ...args: unknown[]): Job<unknown> {
    return this.#start(calleeOf(fn, this.#settings.rpcName), args);
  }

  #start(callee: Callee, args: readonly unknown[]): Job<unknown> {
    const { label } = callee;
    const { rpcName: namespace, codec, timeoutMs, retries, output } = this.#settings;
    const streamsOutput = output !== "off";
    const { spec, units } = encodeCall(callee, args, {
      namespace,
      codec,
      timeoutMs,
      retries,
      streamsOutput,
    });
    const id = newJobId();
    const job = { id, queue: this.#queue(), priority: this.#settings.priority, spec };
    const jobOutput = outputOf(output, { id, label });
    if (!this.#settings.async) {
      const controller = new AbortController();
      const tracked = this.#shared.instant.start(job, units, jobOutput, controller.signal);
      return this.#job(id, label, {
        settled: () => tracked.settled,
        submitted: tracked.submitted,
        cancel: async (reason) => controller.abort(reason),
      });
    }
    const tracked = this.#shared.connection.submit(job, units, jobOutput);
    return this.#job(id, label, { settled: () => tracked.settled, submitted: tracked.submitted });
  }

  /**
   * Calls a function, as it is now, on every item. Await it for the results in order; iterate over it for results in the
   * order in which they come.
   *
   * @example
   * ```ts
   * const squares = await c.map((n: number) => n * n, [1, 2, 3]); // [1, 4, 9]
   * ```
   */
  map<Item, Result>(fn: (item: Item) => Result, items: Iterable<Item>): JobMap<Awaited<Result>> {
    const all = [...items];
    const callee = calleeOf(fn, this.#settings.rpcName);
    return new JobMap(all.map((item) => this.#start(callee, [item]) as Job<Awaited<Result>>));
  }

  /** The registered functions of a namespace as typed methods. Give the type of the module that registers them. */
  rpc<Api>(namespace: string = this.#settings.rpcName): Rpc<Api> {
    const client = this.with({ rpcName: namespace });
    return rpcProxy<Api>((name, args) => client.call(name, ...args));
  }

  /** A job by its id: of this client, of another one, of another process. Awaiting it shows its output too. */
  job<Result = unknown>(id: string): Job<Result> {
    const jobId = parseJobId(id);
    const output = outputOf(this.#settings.output, { id: jobId, label: "job" });
    let settled: Promise<Settled> | undefined;
    const settle = (): Promise<Settled> => (settled ??= this.#shared.connection.watch(jobId, output).settled);
    return this.#job(jobId, "job", { settled: settle, submitted: Promise.resolve() }) as Job<Result>;
  }

  /** What a job returned or threw. Results are kept for a day, unless the node was told another `--result-ttl`. */
  async result<Result>(job: Job<Result>): Promise<Result>;
  async result<Result = unknown>(id: string): Promise<Result>;
  async result(job: Job<unknown> | string): Promise<unknown> {
    return await (typeof job === "string" ? this.job(job) : job);
  }

  /** The functions registered in a namespace. @throws KitchenError `KS_UNKNOWN_FUNCTION` when there is none of that name */
  async functions(namespace: string = this.#settings.rpcName): Promise<readonly FunctionInfo[]> {
    return parseFunctions(await this.#get(`/v1/functions/${encodeURIComponent(namespace)}`));
  }

  /** The nodes of the cluster. */
  async nodes(): Promise<readonly NodeStatus[]> {
    return parseNodes(await this.#get("/v1/nodes"));
  }

  /** Cancels every job of the cluster that waits or runs, whoever submitted it. Gives how many there were. */
  async cancelAll(reason = ""): Promise<number> {
    const { jobs } = (await this.#post("/v1/cancel", { jobs: "all", reason })) as {
      jobs: Record<string, string>;
    };
    return Object.values(jobs).filter((reply) => reply === "cancelled" || reply === "cancelling").length;
  }

  /** Lets go of the node. Jobs go on; those that are awaited here reject with `KS_CONNECTION_LOST`. */
  async close(): Promise<void> {
    await this.#shared.connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #job(id: JobId, label: string, { settled, submitted, cancel }: Waiting): Job<unknown> {
    const { http } = this.#shared;
    return new Job(id, label, {
      settled,
      cancel: async (reason) => {
        await submitted;
        await (cancel === undefined ? this.#post("/v1/cancel", { jobs: [id], reason }) : cancel(reason));
      },
      status: async () => {
        await submitted;
        return await this.#status(id);
      },
      output: () => followOutput(http, id, submitted),
    });
  }

  async #status(id: JobId): Promise<JobStatus> {
    return parseStatus(await this.#get(`/v1/jobs/${id}`));
  }

  #queue(): string {
    const { queue, node } = this.#settings;
    return node === undefined ? queue : `${queue.split("|")[0]}|${node}`;
  }

  #get(path: string): Promise<unknown> {
    return this.#shared.http.fetchJson({ method: "GET", path });
  }

  #post(path: string, body: object): Promise<unknown> {
    return this.#shared.http.fetchJson({
      method: "POST",
      path,
      type: "application/json",
      body: JSON.stringify(body),
    });
  }
}

const DEFAULTS: Settings = {
  rpcName: "default",
  queue: "default",
  node: undefined,
  codec: "closure",
  async: true,
  output: "inherit",
  timeoutMs: 0,
  retries: 0,
  priority: 0,
};

function share(url: URL, token: string | undefined): Shared {
  const http = new Http(url, token ?? findToken(url));
  return { http, connection: new Connection(http), instant: new InstantCaller(http) };
}

function parseUrl(url: string | URL): URL {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed;
  throw new KitchenError(
    "KS_USAGE",
    `Not the address of a node: ${JSON.stringify(String(url))} (expected something like http://localhost:6323/)`,
  );
}

function settingsFrom(base: Settings, options: ClientOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...base, ...given };
  checkOutputOption(settings.output);
  parseQueue(settings.queue);
  checkCount("timeoutMs", settings.timeoutMs, 0, MAX_TIMEOUT_MS);
  checkCount("retries", settings.retries, 0, 1_000);
  checkCount("priority", settings.priority, -MAX_PRIORITY, MAX_PRIORITY);
  return settings;
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new KitchenError(
    "KS_USAGE",
    `Not a value for ${name}: ${value} (expected a whole number from ${least} to ${most})`,
  );
}
