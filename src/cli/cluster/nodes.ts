import type { NodeStatus } from "../../client/listings.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, type SessionFlags } from "../session.ts";
import { Table } from "../table.ts";

/** `kitchensink nodes` */
export async function listNodes(flags: SessionFlags): Promise<void> {
  await inSession(flags, async ({ client, tell }) => {
    const nodes = await client.nodes();
    await tell(nodesTable(nodes), nodes);
    return EXIT.done;
  });
}

export function nodesTable(nodes: readonly NodeStatus[]): string {
  const table = new Table(["NAME", "URL", "WORKERS", "RUNNING", "QUEUES", "FREE", "VERSION", "STATE"], {
    rightAligned: ["WORKERS", "RUNNING", "FREE"],
  });
  return table.text(nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(rowOf));
}

function rowOf(node: NodeStatus): string[] {
  const { name, url, workers, running, queues, freeBytes, version } = node;
  return [
    name,
    url,
    String(workers),
    String(running),
    queues.join(","),
    showBytes(freeBytes),
    version,
    stateOf(node),
  ];
}

function stateOf({ startFailures, isFull, isReadOnly }: NodeStatus): string {
  const states = [
    ...(startFailures > 0 ? ["its workers fail at their start"] : []),
    ...(isFull ? ["its disk is full"] : []),
    ...(isReadOnly ? ["read-only"] : []),
  ];
  return states.length === 0 ? "ok" : states.join(", ");
}
