import type { NodeName } from "../core/ids.ts";
import type { NamespaceInfo } from "../core/messages.ts";
import { PACKAGE_VERSION, PROTOCOL_VERSION } from "../core/version.ts";
import type { Room } from "../data/space.ts";
import type { Store } from "../store/port.ts";
import type { Lanes } from "./lanes/lanes.ts";
import { type NodeOptions, queuesOf } from "./options.ts";

/** What others read in a node's facts. Nodes of other releases may have said more, or less. */
export interface NodeFacts {
  readonly name: NodeName;
  readonly url: URL | undefined;
  /** Shared queues whose jobs it runs. */
  readonly queues: readonly string[];
  readonly isReadOnly: boolean;
  /** Room in its data directory, in bytes. */
  readonly freeBytes: number;
  /** Nothing but the reserve is left there. */
  readonly isFull: boolean;
  /** Whether it keeps data of others now. */
  readonly takesData: boolean;
}

/** What of a node changes while it runs. */
export interface NodeParts {
  readonly url: URL;
  readonly room: Room;
  readonly queue: Lanes["queue"];
  readonly namespaces: readonly NamespaceInfo[];
}

/** What a node says of itself in the store. */
export function tellFacts(options: NodeOptions, { url, room, queue, namespaces }: NodeParts): string {
  return JSON.stringify({
    url: url.href,
    pid: process.pid,
    workers: options.numWorkers,
    isReadOnly: options.isReadOnly,
    freeBytes: room.freeBytes,
    isFull: room.isFull,
    running: queue.runner.running,
    startFailures: queue.pool.startFailures,
    queues: queuesOf(options),
    namespaces: namespaces.map(({ name }) => name),
    version: PACKAGE_VERSION,
    protocol: PROTOCOL_VERSION,
  });
}

/** The nodes that live. */
export async function livingNodes(store: Pick<Store, "nodes">): Promise<NodeFacts[]> {
  return (await store.nodes()).map(({ name, facts }) => readFacts(name, facts));
}

function readFacts(name: NodeName, text: string): NodeFacts {
  const value: unknown = JSON.parse(text);
  const facts: Readonly<Record<string, unknown>> =
    typeof value === "object" && value !== null ? { ...value } : {};
  const { url, queues, freeBytes } = facts;
  const [isReadOnly, isFull] = [facts["isReadOnly"] === true, facts["isFull"] === true];
  return {
    name,
    url: typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined,
    queues: Array.isArray(queues) ? queues.map(String) : [],
    isReadOnly,
    freeBytes: typeof freeBytes === "number" ? freeBytes : 0,
    isFull,
    takesData: !isReadOnly && !isFull,
  };
}
