import { TAG } from "./wire.ts";

/** Whether a graph is data alone, so that reviving it runs no code of the sender's. */
export function isData(graph: Uint8Array): boolean {
  return graph[0] === TAG.msgpack || graph[0] === TAG.v8;
}
