import type { Command } from "commander";
import { addCommand } from "./command.ts";
import type { ReplFlags } from "./repl/repl.ts";

/** Declares `kitchensink repl`. */
export function addReplCommand(program: Command): void {
  addCommand(program, "repl", {
    description: "type TypeScript and call functions on the cluster: c is a client",
    remark:
      "Functions that are typed travel with the variables that they use. Ctrl-C cancels the call that is awaited.",
    example: "kitchensink repl\n  > await c.call((x: number) => x * 2, 21)",
  }).action(async (flags: ReplFlags) => (await import("./repl/repl.ts")).openRepl(flags));
}
