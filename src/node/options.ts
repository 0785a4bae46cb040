import { hash } from "node:crypto";
import { parseSharedQueue, type NodeName } from "../core/ids.ts";
import { PROTOCOL_VERSION } from "../core/version.ts";
import type { ClusterTerms } from "../store/membership.ts";
import type { Store } from "../store/port.ts";
import type { EarlyProcesses } from "../worker/early-processes.ts";

/** Takes what nodes log, by how much it matters. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const FINGERPRINT_DIGITS = 8;
/** In the terms of a cluster: its nodes ask for no token. */
export const NO_TOKEN = "none";

export interface NodeOptions {
  readonly name: NodeName;
  /** The name of the cluster that it joins. Nodes of others, and data directories of others, are refused. */
  readonly cluster: string;
  /** The address at which others reach this node. Port 0: a free one. */
  readonly url: URL;
  /** The port to listen on, where it is not that of `url`: others reach the node through something in between. */
  readonly port?: number | undefined;
  /** The address to listen on. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
  /** `null`: no token. Refused beyond loopback. */
  readonly token: string | null;
  /** Taken over: closed with the node, also when the start fails. */
  readonly store: Store;
  /** Where the node keeps data; made when it is not there. */
  readonly dataDirectory: string;
  /** Patterns of files there that are to enter the catalog at the start. */
  readonly adopts: readonly string[];
  /** A node that would have to fetch more than this for a call is left out. */
  readonly dataThresholdBytes: number;
  readonly numWorkers: number;
  readonly numInstantWorkers: number;
  readonly queues: readonly string[];
  /** Files (absolute) or packages that register functions. */
  readonly modules: readonly string[];
  readonly reloads: boolean;
  /** Takes no data. */
  readonly isReadOnly: boolean;
  readonly isArbitraryBanned: boolean;
  /** Names of environment variables that workers get beside the usual ones. */
  readonly environmentNames: readonly string[];
  /** What a worker may have, in bytes. Default: as much heap as V8 takes, and as much of the rest as there is. */
  readonly workerMemoryBytes?: number | undefined;
  /** What the arguments and the function of one call may have together, in bytes. Default: what a request may have. */
  readonly argumentBytes?: number | undefined;
  /** A result of a queued job that has more bytes becomes a file. Default: 1,000,000. */
  readonly inlineResultBytes?: number | undefined;
  /** What the first workers run in. With the environment of `environmentNames` and that memory; stays the caller's to close. */
  readonly earlyProcesses?: EarlyProcesses | undefined;
  readonly leaseMs: number;
  /** How long a cancelled function has to stop before its worker is killed. */
  readonly graceMs: number;
  readonly log: Log;
}

/** The shared queues whose jobs it runs. */
export function queuesOf({ queues }: NodeOptions): string[] {
  return queues.map(parseSharedQueue);
}

/** What it has to have in common with the other nodes. The token's fingerprint is too short to find the token by. */
export function termsOf({ token }: Pick<NodeOptions, "token">): ClusterTerms {
  const fingerprint = token === null ? NO_TOKEN : hash("sha256", token).slice(0, FINGERPRINT_DIGITS);
  return { token: fingerprint, protocol: PROTOCOL_VERSION };
}

/** Where workers of this node reach it: not by the name that others use, which may not lead here from here. */
export function localUrl({ host }: Pick<NodeOptions, "host">, port: string): string {
  const local = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${local.includes(":") ? `[${local}]` : local}:${port}/`;
}

/** Names that a request may have in its Host header, in lower case: others come from a page that was led here. */
export function hostNamesOf({ url, host, allowedHosts }: NodeOptions): ReadonlySet<string> {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  const names = ["localhost", "127.0.0.1", "[::1]", url.hostname, bracketed, ...allowedHosts];
  return new Set(names.map((name) => name.toLowerCase()));
}
