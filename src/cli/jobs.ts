import { type Command, Option } from "commander";
import { addCommand } from "./command.ts";
import type { CallFlags } from "./jobs/call.ts";
import type { CancelFlags } from "./jobs/cancel.ts";
import type { JobsFlags } from "./jobs/list.ts";
import type { LogsFlags } from "./jobs/logs.ts";
import type { SessionFlags } from "./session.ts";

/** Declares the commands that make jobs, and that look at one or end it. */
export function addJobCommands(program: Command): void {
  addCommand(program, "jobs", {
    description: "list jobs, the newest first",
    example: "kitchensink jobs --state running --watch",
  })
    .addOption(
      new Option("--state <state>", "jobs in this state alone").choices([
        "queued",
        "running",
        "succeeded",
        "failed",
        "cancelled",
      ]),
    )
    .option("--label <text>", "jobs whose label has this in it, such as test.add")
    .option("--limit <number>", "how many, up to 500", "20")
    .option("--watch", "list them anew every second, until q is pressed", false)
    .action(async (flags: JobsFlags) => (await import("./jobs/list.ts")).listJobs(flags));

  addCommand(program, "call <name> [args...]", {
    description: "call a registered function, with arguments in JSON, and print its result as JSON",
    remark:
      "What the function prints appears as it does. Ctrl-C cancels the call. A result that JSON cannot say is shown as\nNode shows it.",
    example: `kitchensink call test.add 1 2\n  kitchensink call test.greet '"Ada"' --timeout 5s`,
  })
    .option("--namespace <name>", "the function's namespace (default: what stands before the first dot)")
    .option("--instant", "run it at once, past the queue; nothing of it is stored", false)
    .option("--queue <name>", "the queue in which it waits")
    .option("--node <name>", "run it on this node alone")
    .option("--timeout <time>", "the deadline of the call, from its begin, such as 30s or 5m")
    .option("--detach", "print the job's id and leave it alone", false)
    .action(async (name: string, args: readonly string[], flags: CallFlags) =>
      (await import("./jobs/call.ts")).callFunction({ ...flags, name, args }),
    );

  addCommand(program, "result <id>", {
    description: "print what a job returned, or what it threw; waits for its end",
    example: "kitchensink result 59a302",
  }).action(async (id: string, flags: SessionFlags) =>
    (await import("./jobs/result.ts")).showResultOf({ ...flags, id }),
  );

  addCommand(program, "logs <id>", {
    description: "print what a job has written to stdout and stderr",
    example: "kitchensink logs 59a302 -f",
  })
    .option("-f, --follow", "go on as it appears, until the job ends", false)
    .action(async (id: string, flags: LogsFlags) =>
      (await import("./jobs/logs.ts")).showLogs({ ...flags, id }),
    );

  addCommand(program, "cancel [id...]", {
    description: "cancel jobs, or every job of the cluster that waits or runs",
    example: `kitchensink cancel 59a302 --reason "wrong input"`,
  })
    .option("--all", "every job of the cluster, whoever made it", false)
    .option("--reason <text>", "what those hear who wait for it", "")
    .action(async (ids: readonly string[], flags: CancelFlags) =>
      (await import("./jobs/cancel.ts")).cancelJobs({ ...flags, ids }),
    );

  addCommand(program, "retry <id>", {
    description: "run once more what a job ran that failed or was cancelled, and print the new job's id",
    remark: "The new job waits in the same queue, with the same priority.",
    example: "kitchensink retry 59a302",
  }).action(async (id: string, flags: SessionFlags) =>
    (await import("./jobs/retry.ts")).retryJob({ ...flags, id }),
  );
}
