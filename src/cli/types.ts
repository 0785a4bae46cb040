import type { Command } from "commander";
import { addCommand } from "./command.ts";
import type { TypesFlags } from "./types/print-types.ts";

/** Declares `kitchensink types`. */
export function addTypesCommand(program: Command): void {
  addCommand(program, "types", {
    description:
      "print the types of a node's registered functions, for clients that do not have their sources",
    example:
      'kitchensink types --namespace test > api.d.ts\n\n  import type { Test } from "./api.d.ts";\n  const three = await c.rpc<Test>("test").add(1, 2);',
  })
    .option("--namespace <name>", "the functions of this namespace alone (default: of all)")
    .action(async (flags: TypesFlags) => (await import("./types/print-types.ts")).printTypes(flags));
}
