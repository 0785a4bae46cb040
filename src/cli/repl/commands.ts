import type { REPLServer } from "node:repl";
import { errorText } from "../error-text.ts";

/** A command that begins with a dot; gives what is to be shown. */
export interface DotCommand {
  readonly name: string;
  readonly help: string;
  readonly run: (argument: string) => Promise<string>;
}

export function defineCommands(server: REPLServer, commands: readonly DotCommand[]): void {
  for (const { name, help, run } of commands)
    server.defineCommand(name, {
      help,
      action(argument) {
        const write = (text: string): void => {
          server.output.write(text);
          server.displayPrompt();
        };
        run(argument.trim()).then(write, (error: unknown) => write(`${errorText(error)}\n`));
      },
    });
}
