import type { FastifyInstance } from "fastify";
import type { Access } from "./access.ts";
import { bodyObject } from "./server.ts";
import { CODE_MS, SESSION_MS } from "./sessions.ts";

/** How a browser comes to a session: who has the token gets a code, whoever has the code gets a session for it, once. */
export function addLoginRoutes(server: FastifyInstance, { guard, sessions }: Access): void {
  server.post("/v1/login-codes", async (_request, reply) => {
    const code = sessions?.newCode() ?? null;
    return await reply
      .header("cache-control", "no-store")
      .type("application/json")
      .send(JSON.stringify({ code, expiresInMs: CODE_MS }));
  });

  server.post("/v1/login", async (request, reply) => {
    const { code } = bodyObject(request.body);
    const session = sessions?.login(String(code), request.headers);
    if (session === undefined)
      return await guard.refuse(
        request.ip,
        "Cannot log in: the link was used, or is older than 15 minutes (kitchensink dashboard prints a new one)",
      );
    return await reply
      .header("set-cookie", session.cookie)
      .header("cache-control", "no-store")
      .type("application/json")
      .send(JSON.stringify({ key: session.key, expiresInMs: SESSION_MS }));
  });

  server.post("/v1/logout", async (request, reply) => {
    if (sessions !== undefined) void reply.header("set-cookie", sessions.logout(request.headers));
    return await reply.code(204).send();
  });
}
