import { type Command, Option } from "commander";

const DEFAULT_URL = "http://localhost:6323/";

/** Declares `kitchensink dashboard`. What it needs is loaded when it runs. */
export function addDashboardCommand(program: Command): void {
  program
    .command("dashboard")
    .description("print a link that opens a node's dashboard in a browser, once and within 15 minutes")
    .addOption(
      new Option("--url <address>", "a node of the cluster").env("KITCHENSINK_URL").default(DEFAULT_URL),
    )
    .addHelpText("after", "\nExample:\n  kitchensink dashboard --url http://node1.internal:6323/")
    .action(async ({ url }: { readonly url: string }) =>
      (await import("./dashboard/link.ts")).printLink(url),
    );
}
