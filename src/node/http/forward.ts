import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { pipeline } from "node:stream/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { KitchenError } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";

/** Set on what a node passes on, so that it goes no further. */
export const FORWARDED_HEADER = "kitchensink-forwarded";

const PASSED_ON =
  /^(content-type|content-length|range|if-range|if-none-match|repr-digest|kitchensink-|upload-|expect|authorization|trailer)/;
const PASSED_BACK = /^(content-|etag|accept-ranges|kitchensink-|upload-|location|retry-after)/;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Has another node answer a request: body and answer go through piece by piece, so their size does not matter. Rejects
 * with `KS_DATA_UNAVAILABLE` while nothing has been answered yet; later the answer breaks off.
 */
export async function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, url, from }: { readonly name: NodeName; readonly url: URL; readonly from: NodeName },
): Promise<void> {
  const response = await send(request.raw, { name, url, from });
  reply.hijack();
  reply.raw.writeHead(response.statusCode ?? 502, pick(response.headers, PASSED_BACK));
  await answer(response, reply.raw);
}

function send(
  incoming: IncomingMessage,
  { name, url, from }: { readonly name: NodeName; readonly url: URL; readonly from: NodeName },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(new URL(incoming.url ?? "/", url), {
      method: incoming.method ?? "GET",
      headers: { ...pick(incoming.headers, PASSED_ON), [FORWARDED_HEADER]: from },
      agent: false,
    });
    const fail = (cause: unknown): void => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      reject(
        new KitchenError("KS_DATA_UNAVAILABLE", `Cannot reach the node ${name} at ${url.href}: ${reason}`, {
          cause,
        }),
      );
    };
    const overdue = setTimeout(
      () => outgoing.destroy(new Error(`no connection in ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
    outgoing.on("socket", (socket) => socket.once("connect", () => clearTimeout(overdue)));
    outgoing.on("close", () => clearTimeout(overdue));
    outgoing.on("response", resolve);
    outgoing.on("error", fail);
    // Whoever asked is gone: so is the question.
    incoming.on("close", () => {
      if (!incoming.complete) outgoing.destroy();
    });
    incoming.on("end", () => outgoing.addTrailers(pick(incoming.trailers, PASSED_ON)));
    pipeline(incoming, outgoing).catch(fail);
  });
}

async function answer(response: IncomingMessage, to: ServerResponse): Promise<void> {
  try {
    await pipeline(response, to);
  } catch {
    to.destroy();
  }
}

function pick(headers: IncomingMessage["headers"], wanted: RegExp): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] => entry[1] !== undefined && wanted.test(entry[0]),
    ),
  );
}
