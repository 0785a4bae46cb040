/**
 * Shows instant calls: they skip the queue and run at once on a worker that the node keeps for them, and the result
 * is the HTTP response. They are for short functions; nothing of them is stored, so there is no asking again by id.
 *
 *     node --import kitchensink/register examples/04-instant-calls/main.ts
 */
import { Client } from "kitchensink";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");
const instant = c.with({ async: false });

console.log(await instant.call((x: number, y: number) => x * y, 6, 7));

// Output and errors come back as they do from the queue.
await instant.call((name: string) => console.log(`hello from the worker, ${name}`), "Ada");
const message = await instant
  .call(() => {
    throw new RangeError("too far");
  })
  .catch((error: unknown) => (error instanceof RangeError ? error.message : "something else"));
console.log(message);

// Both kinds of calls go over the same connection.
const [queued, fast] = await Promise.all([c.call(() => "queued"), instant.call(() => "instant")]);
console.log(queued, fast);

await c.close();
