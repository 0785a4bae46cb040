import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { StreamedItems } from "../streams/streamed-items.ts";

const WAIT_MS = 15_000;
const NEWLINE = Buffer.from("\n");
const NULL = Buffer.from("null");

/**
 * Sends a streamed result as JSON lines, as its items are made and no faster than they are taken. When the caller goes away
 * it is the call that is cancelled.
 */
export async function sendItemLines(response: ServerResponse, items: StreamedItems): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  let from = 0;
  for (let isComplete = false; !isComplete && !response.destroyed;) {
    const answer = await items.read({ from, waitMs: WAIT_MS, isOver: false });
    from += answer.items.length;
    ({ isComplete } = answer);
    await write(response, answer.items);
  }
  // Nobody else knows of them.
  await items.read({ from, waitMs: 0, isOver: true });
}

async function write(response: ServerResponse, items: readonly Uint8Array[]): Promise<void> {
  const lines = items.flatMap((item) => [item.length === 0 ? NULL : item, NEWLINE]);
  // One that was closed while no item was there says so no more.
  if (lines.length === 0 || response.destroyed || response.write(Buffer.concat(lines))) return;
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  ended.abort();
}
