import type { Command } from "commander";
import { addCommand } from "./command.ts";
import type { SessionFlags } from "./session.ts";

/** Declares `kitchensink doctor`. */
export function addDoctorCommand(program: Command): void {
  addCommand(program, "doctor", {
    description: "check a running cluster through one of its nodes, and say what to do about what is wrong",
    remark: "The exit code is 0 when all is well or there are only warnings, 1 with problems.",
    example: "kitchensink doctor --url http://node1.internal:6323/",
  }).action(async (flags: SessionFlags) => (await import("./doctor/doctor.ts")).examine(flags));
}
