import { type Command, Option } from "commander";

export const DEFAULT_URL = "http://localhost:6323/";

export interface Explanation {
  readonly description: string;
  /** Behind the options, for what one has to know besides. */
  readonly remark?: string;
  readonly example: string;
}

/** Declares a command that asks a node: with what all of these have. What it needs is loaded when it runs. */
export function addCommand(
  parent: Command,
  usage: string,
  { description, remark, example }: Explanation,
): Command {
  return parent
    .command(usage)
    .description(description)
    .addOption(
      new Option("--url <address>", "a node of the cluster").env("KITCHENSINK_URL").default(DEFAULT_URL),
    )
    .addHelpText("after", `${remark === undefined ? "" : `\n${remark}\n`}\nExample:\n  ${example}`)
    .option("--json", "print JSON, one object a line", false);
}
