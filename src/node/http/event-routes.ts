import type { FastifyInstance } from "fastify";
import { frame } from "../../codec/frames.ts";
import { encodeClientEvent, MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { parseJobId, type JobId, type NodeName } from "../../core/ids.ts";
import { isFinal } from "../../core/job-states.ts";
import { isStreaming, type JobRecord, type OutputPiece, type Store } from "../../store/port.ts";
import type { Hub, Subscriber } from "../hub.ts";
import type { ItemReaders } from "../item-readers.ts";
import type { StoreWriter } from "../store-writer.ts";
import { ResponseRoom } from "./response-room.ts";
import { Returning } from "./returning.ts";
import { bodyObject } from "./server.ts";

const ALIVE_MS = 15_000;
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

interface Watched {
  readonly id: JobId;
  /** How many pieces of output the client wants to skip; `undefined`: it wants none of what was. */
  readonly from: number | undefined;
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
      for (const [at, job] of jobs.entries()) await tell(client, job, records[at]);
    });
    return await reply.code(204).send();
  });

  server.post("/v1/unwatch", async (request, reply) => {
    const body = bodyObject(request.body);
    const client = parseClient(body["client"]);
    hub.unwatch(client, parseIds(body["jobs"]));
    return await reply.code(204).send();
  });

  async function tell(client: string, { id, from }: Watched, record: JobRecord | undefined): Promise<void> {
    if (record === undefined) {
      hub.unwatch(client, [id]);
      return hub.post(client, encodeClientEvent({ type: "unknown", jobId: id }));
    }
    // Of an attempt that was replaced the client may have had output that no log has, and counts it.
    const start = record.attempt > 1 ? 0 : from;
    const pieces = start === undefined || from === undefined ? [] : await missed(id, start);
    for (const piece of pieces) hub.post(client, encodeClientEvent({ type: "output", jobId: id, ...piece }));
    const { state, attempt, outcome } = record;
    const { progress } = record;
    if (progress !== undefined && from !== undefined)
      hub.post(client, encodeClientEvent({ type: "progress", jobId: id, attempt, progress }));
    if (isStreaming(record)) hub.post(client, encodeClientEvent({ type: "streaming", jobId: id, attempt }));
    if (!isFinal(state) || outcome === undefined) return;
    hub.unwatch(client, [id]);
    hub.post(client, encodeClientEvent({ type: "finished", jobId: id, state, outcome }));
  }

  async function missed(id: JobId, from: number): Promise<readonly OutputPiece[]> {
    const pieces = await store.readOutput(id, from);
    if (pieces.length > 0 || from === 0) return pieces;
    // Who has had more than was kept would wait for what is missing.
    return (await store.readOutput(id, -1)).filter(({ isCut }) => isCut);
  }
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
