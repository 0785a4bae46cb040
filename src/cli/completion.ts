import { Argument, type Command } from "commander";

/** Declares `kitchensink completion`, and the command by which its scripts ask. */
export function addCompletionCommands(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes commands, flags, jobs, functions and data in bash or zsh")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh"]))
    .addHelpText(
      "after",
      '\nIts line belongs into ~/.bashrc, or behind compinit into ~/.zshrc.\n\nExample:\n  kitchensink completion bash\n  eval "$(kitchensink completion bash)"',
    )
    .action(async (shell: "bash" | "zsh") => {
      const { SCRIPTS } = await import("./completion/scripts.ts");
      process.stdout.write(SCRIPTS[shell]);
    });

  program
    .command("complete", { hidden: true })
    .argument("<shell>")
    .argument("[words...]")
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (shell: string, words: readonly string[]) =>
      (await import("./completion/complete.ts")).complete(program, { shell, words }),
    );
}
