import type { FastifyInstance } from "fastify";
import type { FunctionInfo, NamespaceInfo } from "../../core/messages.ts";
import type { InstantLane } from "../instant-lane.ts";
import { openApiDocument, type OpenApiOptions } from "./openapi.ts";

export interface OpenApiRoutesOptions extends Pick<OpenApiOptions, "cluster" | "asksForToken"> {
  readonly lane: Pick<InstantLane, "describe">;
  /** What is registered now. */
  readonly namespaces: () => readonly NamespaceInfo[];
}

/** `GET /openapi.json`: what is registered on this node, for generators of clients. A worker tells what there is. */
export function addOpenApiRoutes(server: FastifyInstance, options: OpenApiRoutesOptions): void {
  const { lane, namespaces } = options;
  server.get("/openapi.json", async (_request, reply) => {
    const functions: FunctionInfo[] = [];
    for (const { name } of namespaces()) functions.push(...((await lane.describe(name)) ?? []));
    return await reply
      .type("application/json")
      .send(JSON.stringify(openApiDocument({ ...options, functions })));
  });
}
