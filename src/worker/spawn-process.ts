import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { fileURLToPath } from "node:url";
import { messageOf } from "../core/errors.ts";
import { packageUrl } from "../core/own-code.ts";
import { nodeCommand } from "./memory-limit.ts";

/** Workers always run the built package. */
const ENTRY = fileURLToPath(packageUrl("dist/worker/child/entry.js"));

export interface WorkerProcessOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** What it may have; `undefined`: what V8 takes by itself. */
  readonly memoryBytes: number | undefined;
}

/**
 * Starts the process of a worker, which waits for its settings then.
 *
 * @throws Error when this process or the system has no room for it
 */
export function spawnProcess({ environment, memoryBytes }: WorkerProcessOptions): ChildProcess {
  const [file, ...args] = nodeCommand(["--enable-source-maps", ENTRY], memoryBytes);
  // A process group of its own: Ctrl-C in the node's terminal does not reach it, and a kill takes its children too.
  const options: SpawnOptions = {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: environment,
    detached: true,
  };
  try {
    return withPipes(spawn(file, args, options));
  } catch (error) {
    throw new Error(`Cannot start the process of a worker: ${messageOf(error)}`, { cause: error });
  }
}

/** Without descriptors for them Node gives up before the pipes are there, and says so a turn later. */
function withPipes(child: ChildProcess): ChildProcess {
  const { stdio }: Partial<ChildProcess> = child;
  if (stdio !== undefined) return child;
  child.on("error", () => {});
  throw new Error("no file descriptor is left for its pipes (raise `ulimit -n`)");
}
