import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { StreamedItems } from "../streamed-items.ts";

const WAIT_MS = 15_000;
const NEWLINE = Buffer.from("\n");
const NULL = Buffer.from("null");

/** Sends a streamed result as JSON lines, as its items are made and no faster than they are taken. */
export async function sendItemLines(response: ServerResponse, items: StreamedItems): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (let from = 0, isComplete = false; !isComplete;) {
    const isOver = response.destroyed;
    const answer = await items.read({ from, waitMs: WAIT_MS, isOver });
    if (isOver) return;
    from += answer.items.length;
    ({ isComplete } = answer);
    await write(response, answer.items);
  }
}

async function write(response: ServerResponse, items: readonly Uint8Array[]): Promise<void> {
  const lines = items.flatMap((item) => [item.length === 0 ? NULL : item, NEWLINE]);
  if (lines.length === 0 || response.write(Buffer.concat(lines))) return;
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  ended.abort();
}
