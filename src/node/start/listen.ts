import type { FastifyInstance } from "fastify";
import { KitchenError, messageOf } from "../../core/errors.ts";

/** Starts to listen; gives the port. @throws KitchenError `KS_USAGE`, with the way out, when that fails */
export async function listen(
  server: FastifyInstance,
  { host, port }: { host: string; port: number },
): Promise<number> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    throw new KitchenError("KS_USAGE", `Cannot listen on ${host}:${port}: ${reasonOf(cause)}`, { cause });
  }
  const address = server.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return "another program listens there (stop it, or choose another port with --node-port)";
    case "EACCES":
      return "this user may not (choose a port above 1023 with --node-port)";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine has no such address (choose another with --host)";
    default:
      return messageOf(error);
  }
}
