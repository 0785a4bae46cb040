import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";
import { count } from "../start-options.ts";
import { watch } from "../watch.ts";
import { fetchJobs, jobsTable } from "./listing.ts";

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
    const look = async (): Promise<{ text: string; objects: readonly object[] }> => {
      const { jobs, silent } = await fetchJobs(session, { state, label, limit });
      const missing = silent.map((name) => `${name} does not answer: jobs that ended there are missing\n`);
      return { text: jobsTable(jobs, Date.now()) + missing.join(""), objects: jobs };
    };
    if (flags.watch) return await watch(look, session);
    const { text, objects } = await look();
    if (objects.length > 0) await session.tell(text, objects);
    else note(`No job of that kind is known at ${flags.url}`);
    return EXIT.done;
  });
}
