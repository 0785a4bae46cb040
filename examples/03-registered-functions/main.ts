/**
 * Calls registered functions by their names, with the types of the module that registers them. Nothing of that module
 * is loaded here: only its type is imported. `curl.sh` makes such a call without this package.
 *
 *     npx kitchensink start --module examples/03-registered-functions/functions.ts
 *     node --import kitchensink/register examples/03-registered-functions/main.ts
 */
import { Client } from "kitchensink";
import type * as api from "./functions.ts";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");
const test = c.rpc<typeof api>("test");

console.log(await test.add(1, 2));
console.log(await test.greet("Ada", 2));

// The same by string, where the names are known only at run time.
console.log(await c.with({ rpcName: "test" }).call<number>("add", 3, 4));

for (const { name, parameters, doc } of await c.functions("test"))
  console.log(`${name}(${parameters}): ${doc}`);

await c.close();
