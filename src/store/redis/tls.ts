import { existsSync, readFileSync } from "node:fs";
import { createSecureContext, type ConnectionOptions, type SecureContext } from "node:tls";
import { KitchenError } from "../../core/errors.ts";
import type { RedisAddress } from "./address.ts";
import type { TlsDetails } from "./address-parts.ts";
import { reasonOf } from "./failures.ts";

/**
 * What to connect with, or `undefined` without TLS. Files are read again for each connection, so that renewed
 * certificates are used; while they cannot be read, the last ones that could are.
 *
 * @throws KitchenError `KS_USAGE` when a file cannot be read or used
 */
export function tlsOptions(address: RedisAddress): ConnectionOptions | undefined {
  const { tls } = address;
  if (tls === undefined) return undefined;
  const name = tls.servername === undefined ? {} : { servername: tls.servername };
  if (tls.ca === undefined && tls.cert === undefined) return name;
  let last = readContext(tls, address.shown);
  return {
    ...name,
    get secureContext(): SecureContext {
      try {
        last = readContext(tls, address.shown);
      } catch {
        // Half-way through a renewal: ioredis would never try again after an error here.
      }
      return last;
    },
  };
}

function readContext({ ca, cert, key }: TlsDetails, shown: string): SecureContext {
  const files = Object.entries({ ca, cert, key }).map(([option, path]): [string, Buffer | undefined] => [
    option,
    path === undefined ? undefined : read(path, { option, shown }),
  ]);
  try {
    return createSecureContext(Object.fromEntries(files));
  } catch (cause) {
    throw new KitchenError(
      "KS_USAGE",
      `Cannot use the Redis at ${shown}: the files of its options cannot be used for TLS (${reasonOf(cause)}): ` +
        "they must be in PEM, and cert and key belong together",
      { cause },
    );
  }
}

function read(path: string, { option, shown }: { readonly option: string; readonly shown: string }): Buffer {
  const unreadable = (why: string, cause?: unknown): KitchenError =>
    new KitchenError(
      "KS_USAGE",
      `Cannot use the Redis at ${shown}: the file of its option ${option} cannot be read (${why}): correct ${path}`,
      { cause },
    );
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw unreadable(existsSync(path) ? reasonOf(cause) : "there is none", cause);
  }
  // OpenSSL takes a file without any certificate for an empty list.
  if (!bytes.includes("-----BEGIN ")) throw unreadable("it is not in PEM");
  return bytes;
}
