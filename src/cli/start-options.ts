import { hostname } from "node:os";
import ms, { type StringValue } from "ms";
import { KitchenError } from "../core/errors.ts";
import { showBytes } from "../core/show-bytes.ts";
import { isSharedQueue, parseNodeName, SHARED_QUEUE_FORM, type NodeName } from "../core/ids.ts";
import type { Level } from "./log.ts";

/** The flags of `kitchensink start` as commander reads them. */
export interface StartFlags {
  readonly datadir: string;
  readonly numWorkers: string;
  readonly nodeUrl?: string;
  readonly nodePort?: string;
  readonly nodeName?: string;
  readonly host: string;
  readonly allowHost: readonly string[];
  readonly queue: readonly string[];
  readonly module: readonly string[];
  readonly reload: boolean;
  readonly readOnly: boolean;
  readonly dataThreshold: string;
  readonly adopt: readonly string[];
  readonly redis: boolean;
  readonly redisConnection?: string;
  readonly embedded: boolean;
  readonly cluster: string;
  readonly arbitrary: boolean;
  readonly token: boolean;
  readonly tokenFile?: string;
  readonly env: readonly string[];
  readonly instantWorkers: string;
  readonly workerMemory?: string;
  readonly argumentLimit: string;
  readonly inlineResultLimit: string;
  readonly jobOutputLimit: string;
  readonly resultTtl: string;
  readonly queueLimit: string;
  readonly grace: string;
  readonly logLevel: Level;
  readonly json: boolean;
}

const DEFAULT_PORT = 6323;
const MOST_WORKERS = 1_000;
const CLUSTER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The port to listen on, where it was said. @throws KitchenError `KS_USAGE` */
export function nodePort({ nodePort: given }: StartFlags): number | undefined {
  return given === undefined ? undefined : count("--node-port", given, { least: 0, most: 65_535 });
}

/** Where others reach the node: `--node-url`, or localhost at its port. @throws KitchenError `KS_USAGE` */
export function nodeUrl(flags: StartFlags): URL {
  const text = flags.nodeUrl ?? `http://localhost:${nodePort(flags) ?? DEFAULT_PORT}/`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Every node and client gets to see it.
  if (url !== undefined && (url.username !== "" || url.password !== "" || url.search !== ""))
    throw usage(
      "--node-url",
      `http://${url.host}/ with a login or a query`,
      "an address such as http://localhost:6323/",
    );
  if (url === undefined || url.protocol !== "http:")
    throw usage("--node-url", text, "an address such as http://localhost:6323/");
  return url;
}

export function nodeName({ nodeName: given }: StartFlags, url: URL): NodeName {
  // A name begins with a letter or a digit, whatever the machine is called.
  const machine =
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .replace(/^[._-]+/, "") || "node";
  // A free port is not known yet; the process's id is as good a distinction.
  const distinction = url.port === "0" ? `pid${process.pid}` : url.port || "80";
  return parseNodeName(given ?? `${machine}-${distinction}`);
}

/** A whole number within bounds. @throws KitchenError `KS_USAGE` */
export function count(
  flag: string,
  text: string,
  { least = 0, most = MOST_WORKERS }: { least?: number; most?: number } = {},
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw usage(flag, text, `a whole number from ${least} to ${most}`);
}

/** A time such as `90s`, `12h`, `1d`, in ms. @throws KitchenError `KS_USAGE` */
export function duration(flag: string, text: string): number {
  const value = /^\d/.test(text) ? ms(text as StringValue) : undefined;
  if (value !== undefined && Number.isFinite(value)) return value;
  throw usage(flag, text, "a time such as 30s, 12h or 1d");
}

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** A size such as `200MB`, in bytes. @throws KitchenError `KS_USAGE` */
export function size(
  flag: string,
  text: string,
  { mostBytes = Infinity }: { mostBytes?: number } = {},
): number {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?) *([A-Za-z]*)$/.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (amount !== "" && Number.isSafeInteger(bytes) && bytes <= mostBytes) return bytes;
  const expected = mostBytes === Infinity ? "such as 200MB or 2GB" : `of up to ${showBytes(mostBytes)}`;
  throw usage(flag, text, `a size ${expected}`);
}

export function clusterName(text: string): string {
  if (CLUSTER.test(text)) return text;
  throw usage("--cluster", text, "1 to 64 letters, digits and . _ -");
}

/** A queue that nodes share: jobs for one node alone come to it by themselves. @throws KitchenError `KS_USAGE` */
export function queueName(text: string): string {
  if (isSharedQueue(text)) return text;
  throw usage("--queue", text, SHARED_QUEUE_FORM);
}

function usage(flag: string, text: string, expected: string): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    `Not a value for ${flag}: ${JSON.stringify(text)} (expected ${expected})`,
  );
}
