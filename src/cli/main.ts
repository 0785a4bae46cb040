#!/usr/bin/env node
import { Command } from "commander";
import { KitchenError } from "../core/errors.ts";
import { PACKAGE_VERSION } from "../core/version.ts";
import { printable } from "./data/format.ts";
import { addDataCommands } from "./data.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addStartCommand } from "./start.ts";
import { addTypesCommand } from "./types.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const program = new Command("kitchensink")
  .description("Run your functions on other machines as if they ran on your own.")
  .version(PACKAGE_VERSION)
  .showHelpAfterError("(kitchensink --help lists what there is)")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));
addStartCommand(program);
addDataCommands(program);
addDoctorCommand(program);
addTypesCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  // One line for what a person can mend; all there is for what only we can.
  const text =
    error instanceof KitchenError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`kitchensink: ${(text ?? "").split("\n").map(printable).join("\n")}\n`);
  process.exit(error instanceof KitchenError && error.code === "KS_USAGE" ? EXIT_USAGE : EXIT_FAILURE);
}
