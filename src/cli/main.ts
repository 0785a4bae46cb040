#!/usr/bin/env node
import { Command } from "commander";
import { KitchenError } from "../core/errors.ts";
import { PACKAGE_VERSION } from "../core/version.ts";
import { printable } from "./table.ts";
import { addClusterCommands } from "./cluster.ts";
import { addCompletionCommands } from "./completion.ts";
import { addDataCommands } from "./data.ts";
import { addDoctorCommand } from "./doctor.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { addJobCommands } from "./jobs.ts";
import { addStartCommand } from "./start.ts";

const program = new Command("kitchensink")
  .description("Run your functions on other machines as if they ran on your own.")
  .version(PACKAGE_VERSION)
  .showHelpAfterError("(kitchensink --help lists what there is)")
  .enablePositionalOptions()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));
addStartCommand(program);
addClusterCommands(program);
addJobCommands(program);
addDataCommands(program);
addDoctorCommand(program);
addCompletionCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  // One line for what a person can mend; all there is for what only we can.
  const text =
    error instanceof KitchenError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`kitchensink: ${(text ?? "").split("\n").map(printable).join("\n")}\n`);
  process.exit(exitCodeOf(error));
}
