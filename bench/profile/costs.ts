// Which part of the program CPU time goes to, by profiles of V8.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** In µs, by the system's monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** In µs since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** In µs, by the system's monotonic clock. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const OWN = "Node itself: sockets, pipes, streams, HTTP";
const IDLE = "(idle)";

/** By where a module stands. The first that fits counts. */
const PARTS: readonly (readonly [where: RegExp, part: string])[] = [
  [/^bench\//, "the program that calls"],
  [/^src\/capture\//, "capture and revival"],
  [/^(src\/codec\/|msgpackr)/, "codec: messages as bytes, and back"],
  [/^src\/client\//, "client: jobs, batches, events"],
  [/^(src\/node\/http\/|fastify|find-my-way|light-my-request|avvio|@fastify)/, "HTTP: routes, Fastify"],
  [/^src\/node\//, "node: submissions, dispatch, hub"],
  [/^src\/worker\/child\//, "worker: runs"],
  [/^src\/worker\//, "node: channels to workers, output"],
  [/^src\/core\//, "core: ids, prefetch"],
  [/^src\/store\/redis\//, "store: commands and replies"],
  [/^ioredis/, "store: ioredis"],
  [/^src\/store\//, "store: embedded"],
];

/** The share of each part in what the profiles have of the time when the thread was not idle. They add up to 1. */
export function costs(profiles: readonly CpuProfile[], window: Window): Map<string, number> {
  const times = new Map<string, number>();
  for (const profile of profiles) addTimes(times, profile, window);
  times.delete(IDLE);
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return new Map([...times].map(([part, time]) => [part, time / all]));
}

function addTimes(times: Map<string, number>, profile: CpuProfile, { from, to }: Window): void {
  const partOf = partsOf(profile.nodes);
  let at = profile.startTime;
  for (const [index, sample] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index] ?? 0;
    at += delta;
    if (at < from || at > to) continue;
    const part = partOf.get(sample) ?? OWN;
    times.set(part, (times.get(part) ?? 0) + delta);
  }
}

/** What Node and V8 do counts for whoever of the program called them. */
function partsOf(nodes: readonly ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const visit = (id: number, above: string): void => {
    const node = byId.get(id)!;
    const part = partOfFrame(node.callFrame) ?? above;
    parts.set(id, part);
    for (const child of node.children ?? []) visit(child, part);
  };
  const [root] = nodes;
  if (root !== undefined) visit(root.id, OWN);
  return parts;
}

function partOfFrame({ functionName, url, lineNumber }: ProfileNode["callFrame"]): string | undefined {
  if (functionName === IDLE) return IDLE;
  if (functionName === "(garbage collector)") return "garbage collection";
  if (functionName === "(program)") return "native code";
  const module = moduleOf(url, lineNumber);
  return PARTS.find(([where]) => where.test(module))?.[1];
}

/** `src/node/watching/hub.ts`, `ioredis/built/…`, `bench/…`; "" for what is Node's own. */
function moduleOf(url: string, line: number): string {
  const [, inPackage] = /.*\/node_modules\/(.*)/.exec(url) ?? [];
  if (inPackage !== undefined) return inPackage;
  const [, inBench] = /.*\/(bench\/.*)/.exec(url) ?? [];
  if (inBench !== undefined) return inBench;
  const [, built] = /.*\/dist\/(.*)\.js$/.exec(url) ?? [];
  return built === undefined ? "" : (sourceAt(url, line) ?? `src/${built}.ts`);
}

/** The build puts many modules into one file, and a comment with its path before each. */
function sourceAt(url: string, line: number): string | undefined {
  return linesOf(url)
    .slice(0, line + 1)
    .findLast((text) => MODULE.test(text))
    ?.replace(MODULE, "$1");
}

const MODULE = /^\/\/(?:#region)? ?(?:node_modules\/)?((?:src|@?[\w-]+)\/.*\.[jt]s)$/;
const files = new Map<string, readonly string[]>();

function linesOf(url: string): readonly string[] {
  const known = files.get(url);
  if (known !== undefined) return known;
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  files.set(url, lines);
  return lines;
}
