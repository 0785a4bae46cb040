// The smallest script: one call, and its result.
import { Client } from "kitchensink";

const [url, token] = process.argv.slice(2);
const client = new Client(url, { token });
const sum = await client.call((a, b) => a + b, 1, 2);
if (sum !== 3) throw new Error(`1 + 2 came out as ${sum}`);
await client.close();
