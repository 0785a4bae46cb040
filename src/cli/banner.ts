import type { ChosenStore } from "../node/start/choose-store.ts";
import type { RunningNode } from "../node/running-node.ts";
import { PACKAGE_VERSION } from "../core/version.ts";

/** Where a node's token is. */
export type TokenSource = { readonly file: string } | { readonly environment: string };

export interface BannerFacts {
  readonly node: RunningNode;
  readonly chosen: ChosenStore;
  /** `null`: there is none. */
  readonly tokenFrom: TokenSource | null;
  readonly dataDirectory: string;
  readonly isReadOnly: boolean;
  readonly modules: readonly string[];
  readonly workers: number;
  readonly queues: readonly string[];
  /** A person reads it, and no log keeps it. */
  readonly isSeen: boolean;
}

/** What a person sees when the node is ready. */
export function banner({
  node,
  chosen,
  tokenFrom,
  dataDirectory,
  isReadOnly,
  modules,
  workers,
  queues,
  isSeen,
}: BannerFacts): string {
  const rows: (readonly [string, string])[] = [
    ["url", node.url.href],
    ["dashboard", dashboardLine(node, { hasToken: tokenFrom !== null, isSeen })],
    ["store", storeLine(chosen)],
    ["workers", `${workers}, for the ${queues.length === 1 ? "queue" : "queues"} ${queues.join(", ")}`],
    ...functionRows(node, modules),
    ["data", isReadOnly ? `${dataDirectory}, read-only` : dataDirectory],
    ["token", tokenLine(tokenFrom)],
  ];
  const lines = rows.map(([label, text]) => `  ${label.padEnd(10)} ${text}`);
  return [
    `Kitchen Sink ${PACKAGE_VERSION}: the node ${node.name} is ready`,
    "",
    ...lines,
    "",
    ...(chosen.isFallback ? [FALLBACK, ""] : []),
    ...nextNode(node, chosen),
    "  Ctrl-C stops it.",
    "",
  ].join("\n");
}

/** The same for programs: what starts a node at a free port learns the port from it. */
export function bannerObject({
  node,
  chosen,
  tokenFrom,
  dataDirectory,
  isReadOnly,
  workers,
  queues,
}: BannerFacts): object {
  return {
    name: node.name,
    url: node.url.href,
    store: storeLine(chosen),
    redisConnection: chosen.redisConnection ?? null,
    workers,
    queues,
    namespaces: node.namespaces,
    data: dataDirectory,
    isReadOnly,
    hasToken: tokenFrom !== null,
    tokenFile: tokenFrom !== null && "file" in tokenFrom ? tokenFrom.file : null,
    version: PACKAGE_VERSION,
  };
}

const FALLBACK = `  NO REDIS HERE: jobs live in this process's memory. That is for one node, and jobs end with it.
  For a cluster, and for jobs that outlive the node:
    ${process.platform === "darwin" ? "brew install redis" : "sudo apt-get install redis-server"}`;

function dashboardLine(
  node: RunningNode,
  { hasToken, isSeen }: { readonly hasToken: boolean; readonly isSeen: boolean },
): string {
  if (!hasToken) return node.url.href;
  if (isSeen) return `${node.dashboardLink().href} (once, within 15 minutes)`;
  const isUsual = node.url.href === "http://localhost:6323/";
  return `kitchensink dashboard${isUsual ? "" : ` --url ${node.url.href}`} prints a link for a browser`;
}

function tokenLine(from: TokenSource | null): string {
  if (from === null) return "none: every user of this machine may call this node";
  return "file" in from ? from.file : `${from.environment}, in the environment`;
}

function functionRows({ namespaces }: RunningNode, modules: readonly string[]): [string, string][] {
  if (namespaces.length === 0 && modules.length > 0)
    return [["functions", `none: no function and no namespace() is exported by ${modules.join(", ")}`]];
  return namespaces.map(({ name, functions }) => ["functions", `${name}: ${functions.join(", ")}`]);
}

function storeLine({ store, ownRedisProgram }: ChosenStore): string {
  return ownRedisProgram === undefined
    ? store.description
    : `${store.description}, started by this node (${ownRedisProgram})`;
}

function nextNode({ url }: RunningNode, { redisConnection }: ChosenStore): string[] {
  if (redisConnection === undefined) return [];
  const next = new URL(url);
  next.port = String(Number(url.port || 80) + 1);
  return [
    "  Another node, with the same token:",
    `    kitchensink start --no-redis --redis-connection "${redisConnection}" --node-url ${next.href} --datadir ./data2 --num-workers 2`,
    "",
  ];
}
