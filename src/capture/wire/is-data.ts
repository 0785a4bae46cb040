import { isPointerPrototype } from "../resolve/pointers.ts";
import { sharedValue } from "../resolve/shared.ts";
import { decodeTable, type Extras, type Node, type Slot, type Table, TAG } from "./wire.ts";

/** Whether a graph is data alone, pointers to data included, so that reviving it runs no code of the sender's. */
export function isData(graph: Uint8Array): boolean {
  if (graph[0] === TAG.table) return hasOnlyData(decodeTable(graph));
  return graph[0] === TAG.msgpack || graph[0] === TAG.v8;
}

function hasOnlyData({ units, scopes, nodes }: Table): boolean {
  return units.length === 0 && scopes.length === 0 && nodes.every((node) => isDataNode(node, nodes));
}

/** All that holds pointers when data does. What is not named here is taken for code. */
function isDataNode(node: Node, nodes: readonly Node[]): boolean {
  switch (node[0]) {
    case "record":
    case "list":
      return true;
    case "object":
      return node[2] === null && isDataExtras(node[1], nodes);
    case "array":
    case "map":
    case "set":
      return node[3] === null && isDataExtras(node[2], nodes);
    case "shared":
      return isPointers(node);
    default:
      return false;
  }
}

/** Properties are as harmless as the nodes that they refer to: an accessor would need a function. */
function isDataExtras([proto]: Extras, nodes: readonly Node[]): boolean {
  return proto === 0 || proto === null || isPointers(nodeAt(proto, nodes));
}

function nodeAt(slot: Slot, nodes: readonly Node[]): Node | undefined {
  return Array.isArray(slot) ? nodes[slot[0] ?? -1] : undefined;
}

function isPointers(node: Node | undefined): boolean {
  return node?.[0] === "shared" && isPointerPrototype(sharedValue(node[1]));
}
