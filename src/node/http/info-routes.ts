import type { FastifyInstance } from "fastify";
import { KitchenError } from "../../core/errors.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";
import type { Store } from "../../store/port.ts";
import type { InstantLane } from "../lanes/instant-lane.ts";

export interface InfoRoutesOptions {
  /** Why the node cannot be given work now; undefined when it can. */
  readonly unready: () => string | undefined;
  readonly store: Store;
  readonly lane: InstantLane;
}

/** What there is: health, nodes, registered functions. */
export function addInfoRoutes(server: FastifyInstance, { store, lane, unready }: InfoRoutesOptions): void {
  server.get("/health", async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify({ status: "ok", version: PACKAGE_VERSION })),
  );

  server.get("/ready", async (_request, reply) => {
    const why = unready();
    return await reply
      .code(why === undefined ? 200 : 503)
      .type("application/json")
      .send(JSON.stringify(why === undefined ? { status: "ready" } : { status: "not ready", why }));
  });

  server.get("/v1/nodes", async (_request, reply) => {
    const nodes = (await store.nodes()).map(({ facts, ...record }) => ({ ...parseFacts(facts), ...record }));
    return await reply.type("application/json").send(JSON.stringify({ nodes }));
  });

  server.get<{ Params: { namespace: string } }>("/v1/functions/:namespace", async (request, reply) => {
    const { namespace } = request.params;
    const functions = await lane.describe(namespace);
    if (functions === null)
      throw new KitchenError(
        "KS_UNKNOWN_FUNCTION",
        `There is no namespace "${namespace}": was its module given with --module?`,
      );
    return await reply.type("application/json").send(JSON.stringify({ functions }));
  });
}

function parseFacts(facts: string): object {
  const value: unknown = JSON.parse(facts);
  return typeof value === "object" && value !== null ? value : {};
}
