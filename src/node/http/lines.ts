import type { FastifyReply } from "fastify";
import { KitchenError, messageOf } from "../../core/errors.ts";

/** Said this often when there is nothing else to say, so that whoever waits knows that somebody works. */
const ALIVE_MS = 3_000;

export interface LineSender {
  readonly line: (value: object) => void;
  /** Aborted when the reader is gone. */
  readonly signal: AbortSignal;
}

/** Answers with JSON lines as work goes on; what the work throws is the last line. */
export async function sendLines(
  reply: FastifyReply,
  work: (sender: LineSender) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  raw.flushHeaders();
  raw.on("error", () => {});
  raw.on("close", () => gone.abort(new KitchenError("KS_CANCELLED", "Whoever asked for it is gone")));
  const line = (value: object): void => void raw.write(`${JSON.stringify(value)}\n`);
  const alive = setInterval(() => line({ alive: true }), ALIVE_MS);
  try {
    await work({ line, signal: gone.signal });
  } catch (error) {
    const code = error instanceof KitchenError ? error.code : "KS_INTERNAL";
    const detail = messageOf(error);
    line({ error: { code, detail } });
  } finally {
    clearInterval(alive);
    raw.end();
  }
}
