import type { FastifyInstance } from "fastify";
import type { RunEnd } from "../../core/activity.ts";
import { KitchenError } from "../../core/errors.ts";
import { isFinal, type JobState, TRANSITIONS } from "../../core/job-states.ts";
import type { Store } from "../../store/port.ts";
import type { Activity } from "../activity/activity.ts";
import type { ClusterWatch } from "../activity/cluster-watch.ts";
import type { Feed, News } from "../activity/feed.ts";
import { listJobs } from "../activity/job-list.ts";
import type { NodeWatch } from "../activity/node-watch.ts";
import { factsAsJson } from "./job-json.ts";
import { parseCount } from "./parse-count.ts";
import { problemOf } from "./problems.ts";
import { ServerSentEvents } from "./server-sent.ts";

const USUAL_JOBS = 100;
const MOST_JOBS = 500;
/** What nodes ask of each other. */
const MOST_TOLD = 4_000;

export interface ActivityRoutesOptions {
  readonly store: Store;
  readonly activity: Activity;
  readonly watch: NodeWatch;
  readonly cluster: ClusterWatch;
  readonly feed: Feed;
}

type Query = { readonly Querystring: Readonly<Record<string, string | undefined>> };

/** What happens: jobs, nodes, workers, of the whole cluster. */
export function addActivityRoutes(server: FastifyInstance, options: ActivityRoutesOptions): void {
  const { store, activity, watch, cluster, feed } = options;

  server.get<Query>("/v1/jobs", async (request, reply) => {
    const { state, label = "", limit } = request.query;
    const found = await listJobs(
      { store, cluster },
      {
        state: parseState(state),
        label: label || undefined,
        limit: Math.min(parseCount("limit", limit) ?? USUAL_JOBS, MOST_JOBS),
      },
    );
    const jobs = found.jobs.map(factsAsJson);
    return await reply.type("application/json").send(JSON.stringify({ jobs, silent: found.silent }));
  });

  server.get("/v1/status", async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify(await cluster.status())),
  );

  server.get("/v1/activity", { exposeHeadRoute: false }, (_request, reply) => {
    // Before anything is written: it may be refused.
    const stop = feed.listen((news) => {
      if (events.hasRoom) events.send(eventsOf(news()));
    });
    reply.hijack();
    const events = new ServerSentEvents(reply.raw, stop);
  });

  server.get<Query>("/v1/activity/node", async (request, reply) => {
    const { after, most } = request.query;
    const told = await watch.look(
      parseCount("after", after) ?? 0,
      Math.min(parseCount("most", most) ?? 0, MOST_TOLD),
    );
    return await reply.type("application/json").send(JSON.stringify(told));
  });

  server.get<Query>("/v1/jobs/ended", async (request, reply) => {
    const { most, end, label } = request.query;
    const count = Math.min(parseCount("most", most) ?? USUAL_JOBS, MOST_TOLD);
    const ids = activity.lastEnded(count, parseEnd(end), label);
    return await reply.type("application/json").send(JSON.stringify({ ids }));
  });
}

function eventsOf(news: News): [string, object][] {
  if (news instanceof Error) return [["problem", problemOf(news)]];
  const status: [string, object] = ["status", news.status];
  return news.runs.length === 0 ? [status] : [status, ["runs", news.runs]];
}

function parseState(text: string | undefined): JobState | undefined {
  if (text === undefined || text === "") return undefined;
  if (Object.hasOwn(TRANSITIONS, text)) return text as JobState;
  throw new KitchenError(
    "KS_BAD_REQUEST",
    `Not a state: ${JSON.stringify(text.slice(0, 100))} (expected ${Object.keys(TRANSITIONS).join(", ")})`,
  );
}

function parseEnd(text: string | undefined): RunEnd | undefined {
  const state = parseState(text);
  return state !== undefined && isFinal(state) ? state : undefined;
}
