import { Client } from "../../client/client.ts";
import { Http } from "../../client/connection/http.ts";
import { findToken } from "../../client/connection/token.ts";
import { DEFAULT_URL } from "../command.ts";
import { fetchJobs } from "../jobs/listing.ts";
import type { JobStatus } from "../../client/jobs/job.ts";
import type { Suggestion } from "./suggest.ts";

export interface Wanted {
  readonly typed: string;
  readonly url: string | undefined;
}

export type Source = (wanted: Wanted) => Promise<readonly Suggestion[]>;

/** Who presses Tab waits no longer for a node. */
const PATIENCE_MS = 800;
const LISTED_JOBS = 50;

const none: Source = async () => [];
const files: Source = async () => [{ value: ":files" }];

const nodes: Source = asking(async (client) =>
  (await client.nodes()).map(({ name, url }) => ({ value: name, meaning: url })),
);

const queues: Source = asking(async (client) =>
  unique((await client.nodes()).flatMap((node) => node.queues)).map((value) => ({ value })),
);

const namespaces: Source = asking(async (client) =>
  unique((await client.nodes()).flatMap((node) => node.namespaces)).map((value) => ({ value })),
);

const functions: Source = asking(async (client) => {
  const names = unique((await client.nodes()).flatMap((node) => node.namespaces));
  const found = await Promise.all(names.map((name) => client.functions(name).catch(() => [])));
  return found.flat().map(({ namespace, name, parameters, doc }) => ({
    value: `${namespace}.${name}`,
    meaning: `(${parameters}) ${doc}`,
  }));
});

const jobs: Source = asking(async ({ url }) => {
  const listing = await fetchJobs({ http: new Http(url, findToken(url)) }, { limit: LISTED_JOBS });
  return listing.jobs.map(suggestionOf);
});

/** What may be retried. */
const endedInVain: Source = asking(async ({ url }) => {
  const asked = { http: new Http(url, findToken(url)) };
  const states = ["failed", "cancelled"].map((state) => fetchJobs(asked, { state, limit: LISTED_JOBS }));
  const listings = await Promise.all(states);
  return listings.flatMap(({ jobs: found }) => found.map(suggestionOf));
});

/** Part by part, as files are completed. */
const data: Source = asking(async (client, { typed }) => {
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  const literal = folder.replace(/[*?[\]\\]/g, "?");
  for await (const page of client.data.access.find(`${literal}**`)) {
    const urls = page.map(({ url }) => url).filter((url) => url.startsWith(folder));
    return unique(urls.map((url) => nextPart(url, folder.length))).map((value) => ({ value }));
  }
  return [];
});

/** By a flag, or a command and its argument. */
const SOURCES: Readonly<Record<string, Source>> = {
  "--node": nodes,
  "--nodes": nodes,
  "--queue": queues,
  "--namespace": namespaces,
  "--datadir": files,
  "--module": files,
  "--token-file": files,
  "functions namespace": namespaces,
  "call name": functions,
  "result id": jobs,
  "logs id": jobs,
  "cancel id": jobs,
  "retry id": endedInVain,
  "ls pattern": data,
  "info url": data,
  "rm url": data,
  "pipeline url": data,
  "get url": data,
  "get file": files,
  "put file": files,
  "put url": data,
};

export function sourceOf(name: string): Source {
  return SOURCES[name] ?? none;
}

/** Asks a node; when it does not answer in time, or refuses, there is nothing to suggest, and nothing is said. */
function asking(ask: (client: Client, wanted: Wanted) => Promise<readonly Suggestion[]>): Source {
  return async (wanted) => {
    try {
      const client = new Client(wanted.url ?? process.env["KITCHENSINK_URL"] ?? DEFAULT_URL);
      const late = new Promise<readonly Suggestion[]>((resolve) => {
        setTimeout(() => resolve([]), PATIENCE_MS);
      });
      return await Promise.race([ask(client, wanted), late]);
    } catch {
      return [];
    }
  };
}

function suggestionOf({ id, state, label }: JobStatus): Suggestion {
  return { value: id, meaning: `${state} ${label}` };
}

function nextPart(url: string, from: number): string {
  const slash = url.indexOf("/", from);
  return slash < 0 ? url : url.slice(0, slash + 1);
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted();
}
