import { createConnection, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RedisAddress } from "./address.ts";
import { tlsOptions } from "./tls.ts";

/**
 * The error, or a better one: where hosts do not answer, ioredis says only that the connection was closed, so the hosts
 * of the address are asked once more.
 */
export async function explain(cause: unknown, address: RedisAddress, timeoutMs: number): Promise<unknown> {
  if (!(cause instanceof Error) || !SAYS_NOTHING.test(cause.message)) return cause;
  const asked = address.hosts.map(async (host) => await whyNoAnswer(connectTo(host, address), timeoutMs));
  const reasons = await Promise.all(asked);
  return reasons.find((reason) => reason !== undefined) ?? cause;
}

const SAYS_NOTHING = /Connection is closed\.$|^None of startup nodes/;

function connectTo({ host, port }: RedisAddress["hosts"][number], address: RedisAddress): Socket {
  const tls = tlsOptions(address);
  return tls === undefined ? createConnection({ host, port }) : connectTls({ host, port, ...tls });
}

function whyNoAnswer(socket: Socket, timeoutMs: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const end = (reason?: Error): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(timeoutMs, () => end(new Error(`no answer in ${timeoutMs} ms`)));
    socket.once("error", end);
    socket.once("close", () => end(new Error("the connection was closed")));
    // Whoever asks for a certificate says so only when spoken to.
    socket.once("data", () => end());
    socket.write("PING\r\n");
  });
}
