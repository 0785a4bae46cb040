import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { packageUrl } from "../core/own-code.ts";

/** Workers always run the built package. */
const ENTRY = fileURLToPath(packageUrl("dist/worker/child/entry.js"));

/** Starts the process of a worker, which waits for its settings then. */
export function spawnProcess(environment: NodeJS.ProcessEnv): ChildProcess {
  // A process group of its own: Ctrl-C in the node's terminal does not reach it, and a kill takes its children too.
  return spawn(process.execPath, ["--enable-source-maps", ENTRY], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: environment,
    detached: true,
  });
}
