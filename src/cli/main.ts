#!/usr/bin/env node
import { Command } from "commander";
import { PACKAGE_VERSION } from "../core/version.ts";
import { addClusterCommands } from "./cluster.ts";
import { addCompletionCommands } from "./completion.ts";
import { addDashboardCommand } from "./dashboard.ts";
import { addDataCommands } from "./data.ts";
import { addDoctorCommand } from "./doctor.ts";
import { errorText } from "./error-text.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { addJobCommands } from "./jobs.ts";
import { addReplCommand } from "./repl.ts";
import { addStartCommand } from "./start.ts";
import { addTypesCommand } from "./types.ts";

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
addDashboardCommand(program);
addReplCommand(program);
addCompletionCommands(program);
addTypesCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`kitchensink: ${errorText(error)}\n`);
  process.exit(exitCodeOf(error));
}
