import type { Client } from "../../client/client.ts";
import { nodesTable } from "../cluster/nodes.ts";
import { findJob } from "../jobs/find-job.ts";
import type { DotCommand } from "./commands.ts";

/** What can be asked of the cluster while one types. */
export function clusterCommands(c: Client): readonly DotCommand[] {
  return [
    { name: "nodes", help: "List the nodes of the cluster", run: async () => nodesTable(await c.nodes()) },
    {
      name: "cancel",
      help: "Cancel a job: .cancel ID",
      run: async (id) => {
        await c.job(findJob(id)).cancel("cancelled in a REPL");
        return "told to stop\n";
      },
    },
  ];
}
