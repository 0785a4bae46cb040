import type { Client } from "../../client/client.ts";
import type { Http } from "../../client/connection/http.ts";
import { nodesTable } from "../cluster/nodes.ts";
import { findJob } from "../jobs/find-job.ts";
import { fetchJobs, jobsTable } from "../jobs/listing.ts";
import { readOutput } from "../jobs/logs.ts";
import type { DotCommand } from "./commands.ts";

const LISTED_JOBS = 20;

/** What can be asked of the cluster while one types. */
export function clusterCommands(c: Client, http: Http): readonly DotCommand[] {
  return [
    {
      name: "jobs",
      help: "List the newest jobs of the cluster",
      run: async () => jobsTable((await fetchJobs({ http }, { limit: LISTED_JOBS })).jobs, Date.now()),
    },
    { name: "nodes", help: "List the nodes of the cluster", run: async () => nodesTable(await c.nodes()) },
    {
      name: "logs",
      help: "Print what a job has written so far: .logs ID",
      run: async (id) => {
        const pieces = await readOutput(await findJob(id, { http }), { http });
        return Buffer.concat(pieces.map(({ bytes }) => bytes)).toString();
      },
    },
    {
      name: "cancel",
      help: "Cancel a job: .cancel ID",
      run: async (id) => {
        await c.job(await findJob(id, { http })).cancel("cancelled in a REPL");
        return "told to stop\n";
      },
    },
  ];
}
