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
import { outliveTerminal } from "./gone-terminal.ts";
import { addJobCommands } from "./jobs.ts";
import { addReplCommand } from "./repl.ts";
import { addStartCommand } from "./start.ts";
import { addTypesCommand } from "./types.ts";

const program = new Command("kitchensink")
  .description("Run your functions on other machines as if they ran on your own.")
  .version(PACKAGE_VERSION)
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
sayWhereHelpIs(program, program.name());
outliveTerminal();

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`kitchensink: ${errorText(error)}\n`);
  process.exit(exitCodeOf(error));
}

/** A mistake in a command's flags is mended with that command's help. */
function sayWhereHelpIs(command: Command, words: string): void {
  command.showHelpAfterError(`(${words} --help lists what there is)`);
  for (const one of command.commands) sayWhereHelpIs(one, `${words} ${one.name()}`);
}
