import type { FastifyInstance } from "fastify";
import { frame } from "../../codec/frames.ts";
import { encodeClientEvent, MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { parseJobId, type JobId, type NodeName } from "../../core/ids.ts";
import type { Store } from "../../store/port.ts";
import type { Hub, Subscriber } from "../watching/hub.ts";
import type { ItemReaders } from "../streams/item-readers.ts";
import type { StoreWriter } from "../jobs/store-writer.ts";
import { tellMissed, type Watched } from "../watching/tell-missed.ts";
import { ResponseRoom } from "./response-room.ts";
import { Returning } from "./returning.ts";
import { ALIVE_MS } from "./patience.ts";
import { bodyObject } from "./server.ts";

/** A client that leaves this much unread is cut off; it comes back and reads the rest from the store. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const CLIENT_ID = /^[A-Za-z0-9-]{8,64}$/;

export interface EventRoutesOptions {
  readonly hub: Hub;
  readonly store: Store;
  readonly writer: StoreWriter;
  readonly readers: ItemReaders;
  readonly node: NodeName;
}

/** `GET /v1/events`, a client's stream; `POST /v1/watch` and `/v1/unwatch` add jobs to it, and take them off. */
export function addEventRoutes(
  server: FastifyInstance,
  { hub, store, writer, readers, node }: EventRoutesOptions,
): void {
  const returning = new Returning(hub);

  server.get<{ Querystring: { client?: string } }>("/v1/events", (request, reply) => {
    const client = parseClient(request.query.client);
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, { "content-type": MEDIA_TYPE, "cache-control": "no-store" });
    response.flushHeaders();
    const room = new ResponseRoom(response);
    const subscriber: Subscriber = {
      room: () => room.pending,
      send: (frames) => {
        response.write(frames);
        if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      },
    };
    const alive = setInterval(() => subscriber.send(frame(encodeClientEvent({ type: "alive" }))), ALIVE_MS);
    returning.opens(client);
    hub.connect(client, subscriber);
    response.on("error", () => {});
    response.on("close", () => {
      clearInterval(alive);
      hub.disconnect(client, subscriber);
      readers.left(client);
    });
  });

  server.post("/v1/watch", async (request, reply) => {
    const body = bodyObject(request.body);
    const client = parseClient(body["client"]);
    const jobs = parseWatched(body["jobs"]);
    const ids = jobs.map(({ id }) => id);
    // Registered first, and what is on its way written first: then nothing falls between the log and the stream.
    for (const { id, from } of jobs) hub.watch(client, id, from !== undefined);
    await hub.tellFirst(ids, async () => {
      returning.asks(client);
      await writer.drained();
      const records = await store.watch(ids, node);
      for (const [at, job] of jobs.entries()) await tellMissed(client, job, records[at], { hub, store });
    });
    return await reply.code(204).send();
  });

  server.post("/v1/unwatch", async (request, reply) => {
    const body = bodyObject(request.body);
    const client = parseClient(body["client"]);
    hub.unwatch(client, parseIds(body["jobs"]));
    return await reply.code(204).send();
  });
}

export function parseClient(value: unknown): string {
  if (typeof value === "string" && CLIENT_ID.test(value)) return value;
  throw new KitchenError("KS_BAD_REQUEST", "Not a client's id: expected 8 to 64 letters, digits and -");
}

function parseIds(value: unknown): JobId[] {
  if (Array.isArray(value)) return value.map(parseJobId);
  throw new KitchenError("KS_BAD_REQUEST", "The body has no list of jobs");
}

function parseWatched(value: unknown): Watched[] {
  if (!Array.isArray(value)) throw new KitchenError("KS_BAD_REQUEST", "The body has no list of jobs");
  return value.map((row: unknown) => {
    if (typeof row !== "object" || row === null || !("id" in row))
      throw new KitchenError("KS_BAD_REQUEST", "A job to watch has no id");
    const from =
      "from" in row && typeof row.from === "number" && row.from >= 0 ? Math.floor(row.from) : undefined;
    return { id: parseJobId(row.id), from };
  });
}
