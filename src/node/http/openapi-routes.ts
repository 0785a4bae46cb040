import type { FastifyInstance } from "fastify";
import { KitchenError } from "../../core/errors.ts";
import type { FunctionInfo, NamespaceInfo } from "../../core/messages.ts";
import type { InstantLane } from "../lanes/instant-lane.ts";
import { openApiDocument, type OpenApiOptions } from "./openapi.ts";

export interface OpenApiRoutesOptions extends Pick<OpenApiOptions, "clusterName" | "asksForToken"> {
  readonly lane: Pick<InstantLane, "describe" | "declare">;
  /** What is registered now. */
  readonly namespaces: () => readonly NamespaceInfo[];
}

/** `GET /openapi.json` and `GET /v1/types`: what is registered on this node, for generators of clients. A worker tells. */
export function addOpenApiRoutes(server: FastifyInstance, options: OpenApiRoutesOptions): void {
  const { lane, namespaces } = options;
  server.get("/openapi.json", async (_request, reply) => {
    const functions: FunctionInfo[] = [];
    for (const { name } of namespaces()) functions.push(...((await lane.describe(name)) ?? []));
    return await reply
      .type("application/json")
      .send(JSON.stringify(openApiDocument({ ...options, functions })));
  });

  server.get<{ Querystring: { namespace?: string } }>("/v1/types", async ({ query }, reply) => {
    const known = namespaces().map(({ name }) => name);
    const wanted = query.namespace === undefined ? known : known.filter((name) => name === query.namespace);
    if (query.namespace !== undefined && wanted.length === 0)
      throw new KitchenError(
        "KS_UNKNOWN_FUNCTION",
        `There is no namespace "${query.namespace}": was its module given with --module?`,
      );
    const declarations = await lane.declare(wanted);
    return await reply.type("application/json").send(JSON.stringify({ declarations }));
  });
}
