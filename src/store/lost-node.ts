import type { NodeName } from "../core/ids.ts";

/** The line that is kept of an attempt whose node was lost. */
export function lostNodeDeath(attempt: number, node: NodeName): string {
  return `attempt ${attempt} on ${node}: the node was lost`;
}
