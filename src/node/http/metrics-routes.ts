import type { FastifyInstance } from "fastify";
import { EXPOSITION_TYPE } from "../metrics/exposition.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** `GET /metrics`: what Prometheus scrapes. */
export function addMetricsRoutes(server: FastifyInstance, { metrics }: { readonly metrics: Metrics }): void {
  server.get("/metrics", async (_request, reply) => reply.type(EXPOSITION_TYPE).send(await metrics.text()));
}
