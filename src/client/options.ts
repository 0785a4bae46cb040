import type { ModulesOption } from "../capture/capture.ts";
import { MAX_PRIORITY, MAX_TIMEOUT_MS } from "../codec/wire.ts";
import { KitchenError } from "../core/errors.ts";
import { parseNodeName, parseQueue } from "../core/ids.ts";
import { checkOutputOption, type OutputOption } from "./output/output.ts";

/** How calls are made; `with` changes any of it for a derived client. */
export interface ClientOptions {
  /** The namespace of registered functions, and the one captured functions run under. Default: `default`. */
  readonly rpcName?: string;
  /** The queue to wait in. Default: `default`. `gpu` for nodes that were started with `--queue gpu`; `gpu|node3` for one of them. */
  readonly queue?: string;
  /** Run on the node of this name alone. Default: on any. */
  readonly node?: string;
  /** What turns arguments and results into bytes: `closure` (default), `structured`, `json`, or one that was registered. */
  readonly codec?: string;
  /**
   * How local modules travel with captured functions and values. `value` (default): what is used of them, with the state
   * it has now. `source`: as source, evaluated once in each worker.
   */
  readonly modules?: ModulesOption;
  /**
   * `true` (default): through the queue. `false`: at once and once, on a worker kept for that at the node that is asked; the
   * call is not stored. Not together with `queue`, `node`, `priority`, `retries`, `retryDelayMs` and `memoize`.
   */
  readonly async?: boolean;
  /** Where the output of jobs goes. Default: `inherit`. */
  readonly output?: OutputOption;
  /**
   * Whether a `map` shows how far it is: on a terminal as a bar below what is printed, elsewhere as a line now and then, on
   * stderr. A text is what stands before it; `true`: the function's name. Default: `false`. What jobs say by
   * `currentJob().progress` is shown in the same way wherever their output goes to this process's own.
   */
  readonly progress?: boolean | string;
  /** Deadline in ms for each attempt, from its begin; then `KS_TIMEOUT`. Default: none. */
  readonly timeoutMs?: number;
  /**
   * How long the call is worth waiting for, in ms from its submit: no attempt begins later, and then it fails with
   * `KS_TIMEOUT`. Default: 0, for ever.
   */
  readonly ttlMs?: number;
  /** How often an attempt that throws is followed by another. Default: 0. */
  readonly retries?: number;
  /** How long the job waits, in ms, after an attempt that threw and before the next one. Default: 0. */
  readonly retryDelayMs?: number;
  /**
   * `true` (default): when its worker or its node is lost, the job is begun again, up to 3 times in all. `false`: it is not,
   * and fails with `KS_WORKER_LOST`; not together with `retries`.
   */
  readonly idempotent?: boolean;
  /**
   * `true`: a call that was made before, of the same function with the same captured values, arguments and options, is not
   * made again as long as its result is kept; it waits for that call, or has its result. One that failed is made again.
   * Default: `false`.
   */
  readonly memoize?: boolean;
  /** Its place among those that wait: from -1000 (last) to 1000 (first). Default: 0. */
  readonly priority?: number;
  /**
   * `true` (default): a call that points to remote data goes where that lies. `false`: it goes wherever a worker is free,
   * and the data is fetched there.
   */
  readonly routeData?: boolean;
}

/** The options of a client that `with` cannot change, beside those that it can. */
export interface ConnectOptions extends ClientOptions {
  /** What the node lets in by. Default: `KITCHENSINK_TOKEN`, or, for a node on this machine, this user's token file. */
  readonly token?: string;
  /**
   * What Ctrl-C does while this client waits for jobs that it submitted. `cancel` (default): the first cancels them, another
   * one before they have ended ends the program. `leave`: the first ends the program, and the jobs go on. What it only looks
   * at by its id goes on in any case.
   */
  readonly interrupt?: "cancel" | "leave";
}

/** What is in force for a client. */
export type Settings = Required<Omit<ClientOptions, "node">> & { readonly node: string | undefined };

export const DEFAULTS: Settings = {
  rpcName: "default",
  queue: "default",
  node: undefined,
  codec: "closure",
  modules: "value",
  async: true,
  output: "inherit",
  progress: false,
  timeoutMs: 0,
  ttlMs: 0,
  retries: 0,
  retryDelayMs: 0,
  idempotent: true,
  memoize: false,
  priority: 0,
  routeData: true,
};

/** @throws KitchenError `KS_USAGE` for what is no option, and for a value that an option cannot have */
export function settingsFrom(base: Settings, options: ClientOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  checkNames(given);
  const settings: Settings = { ...base, ...given };
  checkOutputOption(settings.output);
  checkModules(settings.modules);
  checkPlace(settings);
  checkCount("timeoutMs", settings.timeoutMs, 0, MAX_TIMEOUT_MS);
  checkCount("ttlMs", settings.ttlMs, 0, MAX_TIMEOUT_MS);
  checkCount("retries", settings.retries, 0, 1_000);
  checkCount("retryDelayMs", settings.retryDelayMs, 0, MAX_TIMEOUT_MS);
  checkRepeating(settings);
  checkInstant(settings);
  checkCount("priority", settings.priority, -MAX_PRIORITY, MAX_PRIORITY);
  return settings;
}

/** A typing error would leave a call without its deadline, say, and nobody would know. */
function checkNames(given: object): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(DEFAULTS, name));
  if (unknown === undefined) return;
  const names = Object.keys(DEFAULTS).join(", ");
  throw new KitchenError(
    "KS_USAGE",
    `Not an option of a client: ${unknown} (there are ${names}; and token and interrupt, of new Client alone)`,
  );
}

/** @throws KitchenError `KS_USAGE` for another value of the option `interrupt` */
export function isInterruptible(interrupt: ConnectOptions["interrupt"] = "cancel"): boolean {
  if (interrupt === "cancel" || interrupt === "leave") return interrupt === "cancel";
  throw new KitchenError(
    "KS_USAGE",
    `Not a value for interrupt: ${JSON.stringify(interrupt)} (expected "cancel" or "leave")`,
  );
}

/** Here, because a node that is sent one of these refuses the call only when it is made. */
function checkPlace({ queue, node }: Settings): void {
  try {
    parseQueue(queue);
    if (node !== undefined) parseNodeName(node);
  } catch (cause) {
    throw new KitchenError("KS_USAGE", (cause as KitchenError).message, { cause });
  }
}

function checkRepeating({ idempotent, retries }: Settings): void {
  if (idempotent || retries === 0) return;
  throw new KitchenError(
    "KS_USAGE",
    `Cannot retry a call that must not run twice: retries is ${retries}, and idempotent is false (leave one of them out)`,
  );
}

/** Options of a job that waits in a queue, and is kept. An instant call that took one would not do what it says. */
const QUEUED_ALONE = ["queue", "node", "priority", "retries", "retryDelayMs", "memoize"] as const;

function checkInstant(settings: Settings): void {
  const given = QUEUED_ALONE.find((name) => settings[name] !== DEFAULTS[name]);
  if (settings.async || given === undefined) return;
  const inForce = `${given}: ${JSON.stringify(settings[given])}`;
  throw new KitchenError(
    "KS_USAGE",
    `Cannot make an instant call with ${inForce}: it runs once, at once, on the node that is asked, and nothing of it is kept (leave out ${given}, or async: false)`,
  );
}

function checkModules(modules: string): void {
  if (modules === "value" || modules === "source") return;
  throw new KitchenError(
    "KS_USAGE",
    `Not a value for modules: ${JSON.stringify(modules)} (expected "value" or "source")`,
  );
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new KitchenError(
    "KS_USAGE",
    `Not a value for ${name}: ${value} (expected a whole number from ${least} to ${most})`,
  );
}
