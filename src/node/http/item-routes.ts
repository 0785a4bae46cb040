import type { FastifyInstance } from "fastify";
import { MEDIA_TYPE, parseItemsRequest } from "../../codec/wire.ts";
import { parseJobId } from "../../core/ids.ts";
import type { ItemReaders } from "../streams/item-readers.ts";
import { bodyBytes } from "./server.ts";

/** `POST /v1/jobs/:id/items`: the next items of a streamed result; waits for them. */
export function addItemRoutes(server: FastifyInstance, readers: ItemReaders): void {
  server.post<{ Params: { id: string } }>("/v1/jobs/:id/items", async (request, reply) => {
    const id = parseJobId(request.params.id);
    const answer = await readers.read(id, parseItemsRequest(bodyBytes(request.body)));
    return await reply.type(MEDIA_TYPE).send(answer);
  });
}
