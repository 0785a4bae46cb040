import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { pipeline } from "node:stream/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";

/** Set on what a node passes on, so that it goes no further. */
export const FORWARDED_HEADER = "kitchensink-forwarded";

const PASSED_ON =
  /^(content-type|content-length|content-digest|range|if-range|if-none-match|repr-digest|kitchensink-|upload-|authorization|trailer)/;
const PASSED_BACK = /^(content-|etag|accept-ranges|kitchensink-|upload-|location|retry-after)/;
/** A node that gives no sign for so long is cut off from this one. */
const SILENCE_MS = 5_000;
/** A node that has got all bytes may take long to bring them to its disk. */
const BODY_SILENCE_MS = 300_000;

export interface Place {
  readonly name: NodeName;
  readonly url: URL;
}

/**
 * Has another node answer a request: body and answer go through piece by piece, so their size does not matter. Rejects
 * with `KS_DATA_UNAVAILABLE` while nothing has been answered yet; later the answer breaks off.
 */
export async function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, url, from }: Place & { readonly from: NodeName },
): Promise<void> {
  await answer(await ask(request.raw, { name, url, from }), reply);
}

/**
 * As {@link forward}, for a question without a body, which several nodes can answer: the first that does is the one. Gives
 * why each failed when none did.
 */
export async function forwardToFirst(
  request: FastifyRequest,
  reply: FastifyReply,
  { nodes, from }: { readonly nodes: readonly Place[]; readonly from: NodeName },
): Promise<string[]> {
  const failures: string[] = [];
  for (const { name, url } of nodes) {
    const response = await ask(request.raw, { name, url, from }).catch(messageOf);
    if (typeof response !== "string" && hasData(response)) {
      await answer(response, reply);
      return [];
    }
    if (typeof response !== "string") response.destroy();
    failures.push(
      typeof response === "string" ? response : `${name} did not give them (${response.statusCode})`,
    );
  }
  return failures;
}

function hasData({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode < 400 || statusCode === 416;
}

interface Asking extends Place {
  readonly from: NodeName;
}

async function ask(incoming: IncomingMessage, { name, url, from }: Asking): Promise<IncomingMessage> {
  const hasBody = incoming.method === "PUT" || incoming.method === "POST";
  const outgoing = httpRequest(new URL(incoming.url ?? "/", url), {
    method: incoming.method ?? "GET",
    headers: {
      ...pick(incoming.headers, PASSED_ON),
      [FORWARDED_HEADER]: from,
      // A sign of life before the body is sent, which cannot be sent twice.
      ...(hasBody ? { expect: "100-continue" } : {}),
    },
    agent: false,
  });
  // Whoever asked is gone: so is the question.
  incoming.on("close", () => {
    if (!incoming.complete) outgoing.destroy();
  });
  const answered = answerOf(outgoing, hasBody);
  if (hasBody) outgoing.once("continue", () => sendBody(incoming, outgoing));
  else outgoing.end();
  return await answered.catch((cause: unknown) => {
    const message = `Cannot reach the node ${name} at ${url.href}: ${messageOf(cause)}`;
    throw new KitchenError("KS_DATA_UNAVAILABLE", message, { cause });
  });
}

function answerOf(outgoing: ClientRequest, hasBody: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let silenceMs = SILENCE_MS;
    const overdue = (): void => void outgoing.destroy(new Error(`it gave no sign for ${silenceMs} ms`));
    const timer = setTimeout(overdue, silenceMs);
    outgoing.once("continue", () => {
      clearTimeout(timer);
      silenceMs = BODY_SILENCE_MS;
      outgoing.setTimeout(silenceMs, overdue);
    });
    outgoing.once("response", (response) => {
      if (!hasBody) watch(response);
      resolve(response);
    });
    outgoing.on("error", reject);
    outgoing.once("close", () => reject(new Error("the connection was closed")));
    for (const event of ["response", "error", "close"]) outgoing.once(event, () => clearTimeout(timer));
  });
}

function sendBody(incoming: IncomingMessage, outgoing: ClientRequest): void {
  incoming.on("end", () => outgoing.addTrailers(pick(incoming.trailers, PASSED_ON)));
  // What fails is told by the request's own error.
  pipeline(incoming, outgoing).catch((error: Error) => outgoing.destroy(error));
}

/** An answer that stops in the middle is ended, unless it waits for whoever reads it. */
function watch(response: IncomingMessage): void {
  const { socket } = response;
  socket.setTimeout(SILENCE_MS);
  socket.on("timeout", () => {
    if (response.isPaused()) socket.setTimeout(SILENCE_MS);
    else response.destroy(new Error(`it sent nothing for ${SILENCE_MS} ms`));
  });
}

async function answer(response: IncomingMessage, reply: FastifyReply): Promise<void> {
  reply.hijack();
  const to: ServerResponse = reply.raw;
  to.writeHead(response.statusCode ?? 502, pick(response.headers, PASSED_BACK));
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
