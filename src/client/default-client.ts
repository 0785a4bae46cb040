import { KitchenError } from "../core/errors.ts";
import { Client } from "./client.ts";
import { setDefaultClient } from "./data-access.ts";
import type { ConnectOptions } from "./options.ts";

let current: Client | undefined;

setDefaultClient(() => current);

/**
 * Makes the client that this process uses where none is given, and gives it. An earlier one is left as it is.
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

/** The client of {@link setupClient}. @throws KitchenError `KS_USAGE` when there is none */
export function client(): Client {
  if (current !== undefined) return current;
  throw new KitchenError("KS_USAGE", "There is no default client: call setupClient(url) first");
}
