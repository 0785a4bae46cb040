import type { NodeName } from "../core/ids.ts";
import type { Store } from "../store/port.ts";

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
