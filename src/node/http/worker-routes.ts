import type { FastifyInstance } from "fastify";
import { parseDataType, parseSha256 } from "../../core/data.ts";
import { parseDataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { DataService } from "../data/data-service.ts";
import { bodyObject } from "./server.ts";

/** For workers of this node, which share its disk: where data lie, and parts that they write themselves. */
export function addWorkerRoutes(server: FastifyInstance, { data }: { readonly data: DataService }): void {
  server.post("/v1/local", async (request, reply) => {
    const url = parseDataUrl(bodyObject(request.body)["url"]);
    const replica = await data.fetcher.ensure(url);
    const local = { path: data.directory.pathOf(url), data: await data.infoOf(replica) };
    return await reply.type("application/json").send(JSON.stringify(local));
  });

  server.post("/v1/parts", async (request, reply) => {
    if (!data.takesData)
      throw new KitchenError("KS_DATA_UNAVAILABLE", "Cannot save here: the node is read-only");
    return await reply
      .type("application/json")
      .send(JSON.stringify(data.beginPart(Number(bodyObject(request.body)["pid"]))));
  });

  server.post<{ Params: { id: string } }>("/v1/parts/:id", async (request, reply) => {
    const body = bodyObject(request.body);
    const url = parseDataUrl(body["url"]);
    await data.results.permit(url);
    const arrived = await data.directory.finishLocal(request.params.id, {
      url,
      size: Number(body["size"]),
      sha256: parseSha256(body["sha256"]),
      codec: typeof body["codec"] === "string" ? body["codec"] : null,
      type: parseDataType(body["type"]),
    });
    const replica = await data.replicas.enter(arrived);
    return await reply.type("application/json").send(JSON.stringify(await data.infoOf(replica)));
  });

  server.delete<{ Params: { id: string } }>("/v1/parts/:id", async (request, reply) => {
    await data.directory.abandonLocal(request.params.id);
    return await reply.code(204).send();
  });
}
