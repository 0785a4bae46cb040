/** Who gets a copy in a broadcast, and from whom each pulls it. */
import { KitchenError } from "./errors.ts";
import type { NodeName } from "./ids.ts";

export interface ChainNode {
  readonly name: NodeName;
  readonly takesData: boolean;
  /** Its disk is full, and that is why it takes none. Default: false. */
  readonly isFull?: boolean;
  /** Room in its data directory, in bytes. */
  readonly freeBytes: number;
}

export interface ChainRequest {
  /** The nodes that have the data and live. */
  readonly holders: readonly NodeName[];
  /** Nodes that have the data perhaps, and give no sign: pulled from when there is nobody else. */
  readonly silent?: readonly NodeName[];
  /** Nodes that were tried in vain, and are not tried again. */
  readonly tried?: readonly NodeName[];
  /** The nodes that live. */
  readonly living: readonly ChainNode[];
  /** Only these; by default all that take data. */
  readonly nodes?: readonly NodeName[] | undefined;
  /** How many nodes are to have the data in the end, holders among them; by default all. */
  readonly copies?: number | undefined;
}

export interface Chain {
  readonly links: readonly Link[];
  /** Nodes that were asked for and cannot take part. */
  readonly failed: readonly { readonly node: NodeName; readonly reason: string }[];
}

export interface Link {
  readonly node: NodeName;
  /** Whom it pulls from: its predecessor first, then those that can stand in. */
  readonly from: readonly NodeName[];
}

/** So many predecessors stand in for one that dies, before the nodes that had the data at the start. */
const STAND_INS = 3;
const MOST_HOLDERS = 3;

/**
 * Makes a chain of the nodes that lack the data: each pulls what its predecessor has, while that is still arriving there.
 *
 * @example
 * ```ts
 * chain({ holders: [a], living: [a, b, c] }).links; // b from a; c from b, else from a
 * ```
 * @throws KitchenError `KS_USAGE` for fewer than one copy
 */
export function chain({ holders, silent = [], tried = [], living, nodes, copies }: ChainRequest): Chain {
  if (copies !== undefined && !(Number.isInteger(copies) && copies >= 1))
    throw new KitchenError(
      "KS_USAGE",
      `Not a number of copies: ${copies} (expected a whole number from 1 on)`,
    );
  const known = new Map(living.map((node) => [node.name, node]));
  const passedOver = new Set([...holders, ...silent, ...tried]);
  const wanted = [...new Set(nodes ?? living.filter(({ takesData }) => takesData).map(({ name }) => name))];
  const failed: { node: NodeName; reason: string }[] = [];
  const able: ChainNode[] = [];
  for (const name of wanted) {
    const node = known.get(name);
    if (passedOver.has(name)) continue;
    if (node === undefined) failed.push({ node: name, reason: "no node of this name is there" });
    else if (!node.takesData)
      failed.push({ node: name, reason: node.isFull === true ? "its disk is full" : "it is read-only" });
    else able.push(node);
  }
  // Where there is a choice, those with most room; then by name, so that a chain can be foreseen.
  const chosen =
    copies === undefined
      ? able
      : able.toSorted((a, b) => b.freeBytes - a.freeBytes).slice(0, Math.max(0, copies - holders.length));
  const order = chosen.map(({ name }) => name).toSorted();
  const last = [...holders, ...silent].slice(0, MOST_HOLDERS);
  const links = order.map((node, at) => ({
    node,
    from: [...order.slice(Math.max(0, at - STAND_INS), at).toReversed(), ...last],
  }));
  return { links, failed };
}
