import type { FastifyInstance } from "fastify";
import { parseDataType, parseSha256 } from "../../core/data.ts";
import { type DataUrl, parseDataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { DataService } from "../data/data-service.ts";
import { NotKept } from "../data/missing.ts";
import { codecOf } from "./data-routes.ts";
import { countIn } from "./parse-count.ts";
import { bodyObject } from "./server.ts";

/** For workers of this node, which share its disk: where data lie, and parts that they write themselves. */
export function addWorkerRoutes(server: FastifyInstance, { data }: { readonly data: DataService }): void {
  server.post("/v1/local", async (request, reply) => {
    const url = parseDataUrl(bodyObject(request.body)["url"]);
    return await reply.type("application/json").send(JSON.stringify(await localFile(data, url)));
  });

  server.post("/v1/parts", async (request, reply) => {
    const body = bodyObject(request.body);
    const pid = countIn(body, "pid", 1);
    const size = body["size"] == null ? undefined : countIn(body, "size", 0);
    const why = await data.refusal(size ?? 0);
    if (why !== undefined) throw new KitchenError("KS_DATA_UNAVAILABLE", `Cannot save here: ${why}`);
    return await reply.type("application/json").send(JSON.stringify(await data.beginPart(pid, size)));
  });

  server.post<{ Params: { id: string } }>("/v1/parts/:id", async (request, reply) => {
    const body = bodyObject(request.body);
    const url = parseDataUrl(body["url"]);
    await data.results.permit(url);
    const arrived = await data.directory.finishLocal(request.params.id, {
      url,
      size: Number(body["size"]),
      sha256: parseSha256(body["sha256"]),
      codec: codecOf(body["codec"]),
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

/** Where the node's own file is, fetched first where there is none; no path where it does not keep one. */
async function localFile(data: DataService, url: DataUrl): Promise<object> {
  try {
    const replica = await data.fetcher.ensure(url);
    return { path: data.directory.pathOf(url), data: await data.infoOf(replica) };
  } catch (error) {
    if (error instanceof NotKept) return { path: null, why: error.message };
    throw error;
  }
}
