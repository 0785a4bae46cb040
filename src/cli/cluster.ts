import type { Command } from "commander";
import type { BenchFlags } from "./bench/bench.ts";
import type { StatusFlags } from "./cluster/status.ts";
import { addCommand } from "./command.ts";
import type { SessionFlags } from "./session.ts";

/** Declares the commands that look at the cluster. */
export function addClusterCommands(program: Command): void {
  addCommand(program, "status", {
    description: "show what happens: nodes, queues, and what each worker runs",
    example: "kitchensink status --watch",
  })
    .option("--watch", "show it anew every second, until q is pressed", false)
    .action(async (flags: StatusFlags) => (await import("./cluster/status.ts")).showStatus(flags));

  addCommand(program, "nodes", {
    description: "list the nodes of the cluster",
    example: "kitchensink nodes",
  }).action(async (flags: SessionFlags) => (await import("./cluster/nodes.ts")).listNodes(flags));

  addCommand(program, "functions [namespace]", {
    description: "list the registered functions, of all namespaces or of one",
    example: "kitchensink functions test",
  }).action(async (namespace: string | undefined, flags: SessionFlags) =>
    (await import("./cluster/functions.ts")).listFunctions({ ...flags, namespace }),
  );

  addCommand(program, "bench", {
    description: "measure the cluster for some seconds: calls a second, how long they take, bytes a second",
    example: "kitchensink bench --seconds 30",
  })
    .option("--seconds <number>", "how long, about", "10")
    .action(async (flags: BenchFlags) => (await import("./bench/bench.ts")).benchmark(flags));
}
