import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { namesTag } from "./entity-tags.ts";
import { pageFiles } from "./page-files.ts";

/** Nothing but the node's own files and answers; nothing inline, in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
const HEADERS = {
  "content-security-policy": POLICY,
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};
const A_YEAR = "public, max-age=31536000, immutable";

/** The dashboard: the same files for everybody, with nothing in them that is not in the package. */
export function addPageRoutes(server: FastifyInstance): void {
  server.get("/", (request, reply) => sendFile({ name: "index.html", cache: "no-cache" }, request, reply));

  // Where people look for it who have no link.
  server.get("/dashboard", (_request, reply) => reply.redirect("/"));
  server.get<{ Params: { file: string } }>("/dashboard/:file", (request, reply) => {
    const { file } = request.params;
    if (file === "") return reply.redirect("/");
    // Their names tell their contents.
    return sendFile({ name: file, cache: A_YEAR }, request, reply);
  });
}

async function sendFile(
  { name, cache }: { readonly name: string; readonly cache: string },
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const file = (await pageFiles()).get(name);
  if (file === undefined) {
    reply.callNotFound();
    return reply;
  }
  const { type, bytes, gzipped, etag } = file;
  void reply.headers({ ...HEADERS, etag, "cache-control": cache, vary: "accept-encoding" });
  if (namesTag(headers["if-none-match"], etag)) return await reply.code(304).send();
  const isSmall = /\bgzip\b/.test(headers["accept-encoding"] ?? "");
  if (isSmall) void reply.header("content-encoding", "gzip");
  return await reply.type(type).send(isSmall ? gzipped : bytes);
}
