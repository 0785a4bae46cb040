import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { packageUrl } from "../../core/own-code.ts";
import type * as Late from "./node-data.ts";

const FILE = fileURLToPath(packageUrl("dist/worker/child/node-data.js"));

/**
 * Data by way of the worker's own node. What it takes, a client among it, is loaded here: most workers never need the 5 MB.
 * Not by `import()`, because who asks for the client of a job cannot wait.
 */
export function createNodeData(options: Late.NodeDataOptions): Late.NodeData {
  const { NodeData } = createRequire(import.meta.url)(FILE) as typeof Late;
  return new NodeData(options);
}
