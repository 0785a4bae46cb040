import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Client } from "kitchensink";
import { RunningCommand } from "./cli.ts";
import { temporaryDirectory } from "./temporary.ts";

/** Nodes of one cluster, each a process of its own, as users start them. */
export interface NodeProcesses {
  readonly token: string;
  /** The data directory of a node, by its name. */
  directory(name: string): string;
  /** Starts a node, or starts it again. Of a flag that is given twice the last one counts. */
  start(name: string, flags?: readonly string[], how?: Running): Promise<NodeInProcess>;
  /** A client of a node; closed with the test. */
  connect(node: NodeInProcess): Client;
}

interface Running {
  readonly env?: NodeJS.ProcessEnv;
  /** The command's file, of another build than this one. */
  readonly main?: string;
}

export interface NodeInProcess {
  readonly name: string;
  readonly url: string;
  readonly command: RunningCommand;
  readonly pid: number;
}

/** Everything is ended and removed when the test is. */
export function nodeProcesses(redisConnection: string): NodeProcesses {
  const root = temporaryDirectory();
  const token = "a-token-for-this-test-alone-0123456789";
  const tokenFile = join(root, "token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const directory = (name: string): string => join(root, name);
  const started: RunningCommand[] = [];
  onTestFinished(async () => {
    for (const command of started) {
      // One that was stopped hears nothing else.
      command.kill("SIGCONT");
      command.kill("SIGTERM");
    }
    const timer = setTimeout(() => started.forEach((command) => command.kill()), 5_000);
    await Promise.all(started.map(({ exited }) => exited));
    clearTimeout(timer);
  });
  return {
    token,
    directory,
    start: async (name, flags = [], { env = {}, main } = {}) => {
      mkdirSync(directory(name), { recursive: true });
      const place = ["--no-redis", "--redis-connection", redisConnection, "--token-file", tokenFile];
      const own = [
        "--node-name",
        name,
        "--node-port",
        "0",
        "--datadir",
        directory(name),
        "--num-workers",
        "1",
      ];
      const command = new RunningCommand(["start", ...place, ...own, ...flags], env, main);
      started.push(command);
      await command.says("Ctrl-C stops it");
      const url = /url +(\S+)/.exec(command.stdout)?.[1] ?? "";
      return { name, url, command, pid: command.child.pid! };
    },
    connect: (node) => {
      const client = new Client(node.url, { token, output: "off" });
      onTestFinished(() => client.close());
      return client;
    },
  };
}
