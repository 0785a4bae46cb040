import { type Command, Option } from "commander";
import type { DoctorFlags } from "./doctor/doctor.ts";

const DEFAULT_URL = "http://localhost:6323/";

/** Declares `kitchensink doctor`. What it needs is loaded when it runs. */
export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("check a running cluster through one of its nodes, and say what to do about what is wrong")
    .addOption(
      new Option("--url <address>", "a node of the cluster").env("KITCHENSINK_URL").default(DEFAULT_URL),
    )
    .option("--json", "print JSON, one object a line", false)
    .addHelpText(
      "after",
      "\nThe exit code is 0 when all is well or there are only warnings, 1 with problems.\n\nExample:\n  kitchensink doctor --url http://node1.internal:6323/",
    )
    .action(async (flags: DoctorFlags) => (await import("./doctor/doctor.ts")).examine(flags));
}
