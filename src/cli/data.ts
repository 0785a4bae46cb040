import { type Command, Option } from "commander";
import { addCommand } from "./command.ts";
import type { AdoptFlags } from "./data/adopt.ts";
import type { GetFlags } from "./data/get.ts";
import type { ListFlags } from "./data/list.ts";
import type { PipelineFlags } from "./data/pipeline.ts";
import type { PutFlags } from "./data/put.ts";
import type { RemoveFlags } from "./data/remove.ts";
import type { SessionFlags } from "./session.ts";

/** Declares `kitchensink data …`. What a command needs is loaded when it runs. */
export function addDataCommands(program: Command): void {
  const data = program
    .command("data")
    .description("list, store, fetch, copy and delete data of a cluster")
    .addHelpText("after", "\nkitchensink data <command> --help shows an example of each.");

  addCommand(data, "ls [pattern]", {
    description:
      "list the data that a pattern matches: * and ? within a part of the path, ** for any number of parts (default: all)",
    example: "kitchensink data ls 'logs/**/*.csv'",
  })
    .option("--long", "show the sha256 too", false)
    .action(async (pattern: string | undefined, flags: ListFlags) =>
      (await import("./data/list.ts")).listData({ ...flags, pattern: pattern ?? "**" }),
    );

  addCommand(data, "put <file> <url>", {
    description: "store a file; - reads stdin; a url that ends with / gets the file's name added",
    example: "kitchensink data put rows.csv logs/rows.csv",
  })
    .option("--node <name>", "the node that is to keep it (default: the one that is asked)")
    .option("--codec <name>", "what makes an object of the bytes: json, structured, closure, or your own")
    .addOption(
      new Option("--type <type>", "object: the bytes are what the codec wrote")
        .choices(["file", "object"])
        .default("file"),
    )
    .action(async (file: string, dataUrl: string, flags: PutFlags) =>
      (await import("./data/put.ts")).putData({ ...flags, file, dataUrl }),
    );

  addCommand(data, "get <url> [file]", {
    description:
      "fetch data into a file, or into a directory; - writes to stdout (default: a file named as the url's last part)",
    example: "kitchensink data get logs/rows.csv copy.csv",
  })
    .option("--force", "overwrite the file", false)
    .action(async (dataUrl: string, file: string | undefined, flags: GetFlags) =>
      (await import("./data/get.ts")).getData({ ...flags, dataUrl, file }),
    );

  addCommand(data, "info <url...>", {
    description: "show what is known of data, and which nodes have them",
    example: "kitchensink data info logs/rows.csv",
  }).action(async (dataUrls: readonly string[], flags: SessionFlags) =>
    (await import("./data/info.ts")).showInfo({ ...flags, dataUrls }),
  );

  addCommand(data, "rm [url...]", {
    description: "delete data on all nodes; patterns are not expanded, but for --match",
    example: "kitchensink data rm logs/rows.csv\n  kitchensink data rm --match 'logs/2024/**' --yes",
  })
    .option("--node <name>", "delete the replica of this node alone")
    .option("--match <pattern>", "delete what the pattern matches; without --yes only list it")
    .option("--yes", "do what --match lists", false)
    .action(async (dataUrls: readonly string[], flags: RemoveFlags) =>
      (await import("./data/remove.ts")).removeData({ ...flags, dataUrls }),
    );

  addCommand(data, "adopt <pattern...>", {
    description: "enter files into the catalog that were put into a node's data directory by other means",
    example: "kitchensink data adopt 'logs/**/*.csv' --node node2",
  })
    .option("--node <name>", "the node that has the files (default: the one that is asked)")
    .action(async (patterns: readonly string[], flags: AdoptFlags) =>
      (await import("./data/adopt.ts")).adoptFiles({ ...flags, patterns }),
    );

  addCommand(data, "pipeline <url>", {
    description: "copy data to many nodes at once (default: to all that take data)",
    example: "kitchensink data pipeline logs/rows.csv --copies 3",
  })
    .option("--nodes <names>", "to these nodes, with commas between them")
    .option("--copies <number>", "until so many nodes have it")
    .action(async (dataUrl: string, flags: PipelineFlags) =>
      (await import("./data/pipeline.ts")).copyData({ ...flags, dataUrl }),
    );
}
