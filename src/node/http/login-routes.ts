import type { FastifyInstance } from "fastify";
import type { Guard } from "./guard.ts";
import { bodyObject } from "./server.ts";
import { CODE_MS, SESSION_MS, type Sessions } from "./sessions.ts";

export interface LoginRoutesOptions {
  readonly guard: Guard;
  /** `undefined`: the node asks for no token, and so for no login. */
  readonly sessions: Sessions | undefined;
}

/** How a browser comes to a session: who has the token gets a code, whoever has the code gets a session for it, once. */
export function addLoginRoutes(server: FastifyInstance, { guard, sessions }: LoginRoutesOptions): void {
  server.post("/v1/login-codes", async (_request, reply) => {
    const code = sessions?.newCode() ?? null;
    return await reply
      .header("cache-control", "no-store")
      .type("application/json")
      .send(JSON.stringify({ code, expiresInMs: CODE_MS }));
  });

  server.post("/v1/login", async (request, reply) => {
    const { code } = bodyObject(request.body);
    const session = sessions?.login(String(code));
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
