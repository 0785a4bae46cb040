import type { FastifyInstance } from "fastify";
import { newJobId } from "../client/calls/new-job-id.ts";
import type { NodeName } from "../core/ids.ts";
import type { NamespaceInfo } from "../core/messages.ts";
import type { Store } from "../store/port.ts";
import type { DataService } from "./data/data-service.ts";
import type { Hub } from "./watching/hub.ts";
import type { Observers } from "./activity/observers.ts";
import type { Access } from "./http/access.ts";
import { addActivityRoutes } from "./http/activity-routes.ts";
import { addCatalogRoutes } from "./http/catalog-routes.ts";
import { addDataRoutes } from "./http/data-routes.ts";
import type { Doctor } from "./doctor/doctor.ts";
import { addDoctorRoutes } from "./http/doctor-routes.ts";
import { addEventRoutes } from "./http/event-routes.ts";
import { addInfoRoutes } from "./http/info-routes.ts";
import { addInstantRoutes } from "./http/instant-routes.ts";
import { addItemRoutes } from "./http/item-routes.ts";
import { addJobRoutes } from "./http/job-routes.ts";
import { addLoginRoutes } from "./http/login-routes.ts";
import { addPageRoutes } from "./http/page-routes.ts";
import { addJsonRpcRoutes } from "./http/jsonrpc-routes.ts";
import { addMetricsRoutes } from "./http/metrics-routes.ts";
import { addOpenApiRoutes } from "./http/openapi-routes.ts";
import { addRpcRoutes } from "./http/rpc-routes.ts";
import { addWorkerRoutes } from "./http/worker-routes.ts";
import type { InstantLane } from "./lanes/instant-lane.ts";
import type { ItemReaders } from "./streams/item-readers.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { ServedQueues } from "./jobs/served-queues.ts";
import type { StoreWriter } from "./jobs/store-writer.ts";
import type { Streams } from "./streams/streams.ts";
import type { Submissions } from "./jobs/submissions.ts";
import type { UnitCache } from "./jobs/unit-cache.ts";

export interface Routes extends Access, Observers {
  readonly node: NodeName;
  readonly store: Store;
  readonly hub: Hub;
  readonly writer: StoreWriter;
  readonly units: UnitCache;
  readonly lane: InstantLane;
  readonly streams: Streams;
  readonly readers: ItemReaders;
  readonly submissions: Submissions;
  readonly data: DataService;
  readonly doctor: Doctor;
  /** Those that this node serves. Calls without a client of this project's wait in the first. */
  readonly queues: readonly string[];
  readonly unready: () => string | undefined;
  /** What is registered now. */
  readonly namespaces: () => readonly NamespaceInfo[];
  readonly metrics: Metrics;
  readonly clusterName: string;
  readonly asksForToken: boolean;
}

/** Receives nothing: for queued calls of programs without an event stream. */
const ANONYMOUS_CLIENT = "anonymous";

/** All that a node answers to. */
export function addRoutes(server: FastifyInstance, routes: Routes): void {
  const { node, store, hub, writer, units, lane, streams, readers, submissions, data, queues, activity } =
    routes;
  const [queue = "default"] = queues;
  addPageRoutes(server);
  addLoginRoutes(server, routes);
  const anonymousClient = ANONYMOUS_CLIENT;
  const served = new ServedQueues(store, queues);
  addJobRoutes(server, { store, submissions, activity, served, newJobId, anonymousClient });
  addActivityRoutes(server, routes);
  addInstantRoutes(server, { lane, units, submissions });
  addEventRoutes(server, { hub, store, writer, readers, node });
  addItemRoutes(server, readers);
  addRpcRoutes(server, { lane, streams, submissions, newJobId, anonymousClient, queue });
  addJsonRpcRoutes(server, { lane, streams, submissions, newJobId, namespaces: routes.namespaces });
  addOpenApiRoutes(server, routes);
  addMetricsRoutes(server, routes);
  addInfoRoutes(server, { store, lane, unready: routes.unready });
  addDataRoutes(server, { data, node });
  addCatalogRoutes(server, { data, node });
  addWorkerRoutes(server, { data });
  addDoctorRoutes(server, { doctor: routes.doctor });
}
