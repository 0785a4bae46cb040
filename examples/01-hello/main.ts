/**
 * Calls a function of this file on a node and waits for what it returns: the dot product of two vectors, 55.
 *
 *     node --import kitchensink/register examples/01-hello/main.ts
 */
import { Client } from "kitchensink";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");

function dot(x: number[], y: number[]): number {
  return x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
}

const job = c.call(dot, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]);
console.log(await job);

await c.close();
