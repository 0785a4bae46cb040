import { type Command, Option } from "commander";
import type { TypesFlags } from "./types/print-types.ts";

const DEFAULT_URL = "http://localhost:6323/";

/** Declares `kitchensink types`. What it needs is loaded when it runs. */
export function addTypesCommand(program: Command): void {
  program
    .command("types")
    .description(
      "print the types of a node's registered functions, for clients that do not have their sources",
    )
    .addOption(
      new Option("--url <address>", "a node of the cluster").env("KITCHENSINK_URL").default(DEFAULT_URL),
    )
    .option("--namespace <name>", "the functions of this namespace alone (default: of all)")
    .option("--json", "print a JSON object with the declarations", false)
    .addHelpText(
      "after",
      '\nExample:\n  kitchensink types --namespace test > api.d.ts\n\n  import type { Test } from "./api.d.ts";\n  const three = await c.rpc<Test>("test").add(1, 2);',
    )
    .action(async (flags: TypesFlags) => (await import("./types/print-types.ts")).printTypes(flags));
}
