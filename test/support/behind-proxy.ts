import { freePort } from "../store/support/redis.ts";
import type { NodeInProcess, NodeProcesses } from "./node-processes.ts";
import { Proxy } from "./proxy.ts";

/** A node that the others of its cluster reach through a proxy; `url` leads to it directly. */
export interface NodeBehindProxy extends NodeInProcess {
  readonly proxy: Proxy;
}

export async function startBehindProxy(
  place: NodeProcesses,
  name: string,
  flags: readonly string[] = [],
): Promise<NodeBehindProxy> {
  const port = await freePort();
  const proxy = await Proxy.to(port);
  const address = ["--node-port", String(port), "--node-url", `http://127.0.0.1:${proxy.port}/`];
  const node = await place.start(name, [...flags, ...address]);
  return { ...node, url: `http://127.0.0.1:${port}/`, proxy };
}
