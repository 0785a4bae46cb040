import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { packageUrl } from "../core/own-code.ts";
import { nodeCommand } from "./memory-limit.ts";

/** Workers always run the built package. */
const ENTRY = fileURLToPath(packageUrl("dist/worker/child/entry.js"));

export interface WorkerProcessOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** What it may have; `undefined`: what V8 takes by itself. */
  readonly memoryBytes: number | undefined;
}

/** Starts the process of a worker, which waits for its settings then. */
export function spawnProcess({ environment, memoryBytes }: WorkerProcessOptions): ChildProcess {
  const [file, ...args] = nodeCommand(["--enable-source-maps", ENTRY], memoryBytes);
  // A process group of its own: Ctrl-C in the node's terminal does not reach it, and a kill takes its children too.
  return spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: environment,
    detached: true,
  });
}
