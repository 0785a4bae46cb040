import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";
import { count } from "../start-options.ts";
import { watch, type View } from "../watch.ts";
import { fetchJobs, jobsTable, type Listing, missingFrom } from "./listing.ts";

export interface JobsFlags extends SessionFlags {
  readonly state?: string;
  readonly label?: string;
  readonly limit: string;
  readonly watch: boolean;
}

const MOST_JOBS = 500;

/** `kitchensink jobs` */
export async function listJobs(flags: JobsFlags): Promise<void> {
  const { state, label } = flags;
  const limit = count("--limit", flags.limit, { least: 1, most: MOST_JOBS });
  await inSession(flags, async (session) => {
    const look = async (): Promise<Listing> => await fetchJobs(session, { state, label, limit });
    if (flags.watch) return await watch(async () => viewOf(await look()), session);
    const { jobs, silent } = await look();
    if (jobs.length > 0) await session.tell(jobsTable(jobs, Date.now()), jobs);
    else note(`No job of that kind is known at ${flags.url}`);
    for (const name of silent) note(missingFrom(name));
    return EXIT.done;
  });
}

function viewOf({ jobs, silent }: Listing): View {
  const missing = silent.map((name) => `${missingFrom(name)}\n`);
  return { text: jobsTable(jobs, Date.now()) + missing.join(""), objects: jobs };
}
