import type { Command } from "commander";
import { addCommand } from "./command.ts";
import type { SessionFlags } from "./session.ts";

/** Declares `kitchensink dashboard`. */
export function addDashboardCommand(program: Command): void {
  addCommand(program, "dashboard", {
    description: "print a link that opens a node's dashboard in a browser, once and within 15 minutes",
    example: "kitchensink dashboard --url http://node1.internal:6323/",
  }).action(async (flags: SessionFlags) => (await import("./dashboard/link.ts")).printLink(flags));
}
