import { KitchenError } from "../core/errors.ts";
import { Client } from "./client.ts";
import { processAccess, setDefaultClient } from "./remote-data/data-access.ts";
import type { ConnectOptions } from "./options.ts";

let current: Client | undefined;

setDefaultClient(() => current);

/**
 * Makes the client that this process uses where none is given, and gives it. An earlier one is left as it is.
 *
 * @throws KitchenError `KS_USAGE` for a bad address or option
 * @example
 * ```ts
 * setupClient("http://localhost:6323/");
 * await client().call(() => 42);
 * ```
 */
export function setupClient(url: string | URL, options: ConnectOptions = {}): Client {
  current = new Client(url, options);
  return current;
}

/**
 * The client of {@link setupClient}; inside a job, unless there is one, a client of the node that it runs on.
 *
 * @throws KitchenError `KS_USAGE` when there is none
 * @example
 * ```ts
 * const nodes = await client().nodes();
 * ```
 */
export function client(): Client {
  const found = current ?? processAccess()?.client;
  if (found !== undefined) return found;
  throw new KitchenError("KS_USAGE", "There is no default client: call setupClient(url) first");
}
