import type { IncomingMessage } from "node:http";
import { parseSha256, type Sha256 } from "../../core/data.ts";
import { KitchenError } from "../../core/errors.ts";

type Field = string | string[] | undefined;
/** Before a body, or behind it. */
type Fields = Readonly<Record<string, Field>>;

const MEMBER = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/;
const SHA256_BYTES = 32;
const WAY_OUT = "send sha-256=:<base64>:, or no digest";

/**
 * The sha256 that fields of RFC 9530 name, if they name one. A digest that cannot be checked is refused: whoever sent it
 * would take the bytes for checked.
 *
 * @param offset where the body goes on: what is the digest of a rest is not that of the whole
 * @throws KitchenError `KS_BAD_REQUEST`
 */
export function digestIn(fields: Fields, offset: number): Sha256 | undefined {
  const whole = parseDigest("Repr-Digest", fields["repr-digest"]);
  const body = parseDigest("Content-Digest", fields["content-digest"]);
  if (body !== undefined && offset > 0)
    throw refused("Content-Digest is of the rest of an upload alone", "send Repr-Digest, of the whole");
  if (whole !== undefined && body !== undefined && whole !== body)
    throw refused("Repr-Digest and Content-Digest differ, and are of the same bytes", "send one of them");
  return whole ?? body;
}

/** Reads the digest behind a body when all of it has come. One that was announced must be there. */
export function digestBehind(request: IncomingMessage, offset: number): () => Sha256 | undefined {
  return () => {
    const said = digestIn(request.trailers, offset);
    if (said === undefined && /\b(?:repr|content)-digest\b/i.test(request.headers.trailer ?? ""))
      throw refused("it was announced behind them, and did not come", "send the bytes again");
    return said;
  };
}

function parseDigest(name: string, field: Field): Sha256 | undefined {
  if (field === undefined) return undefined;
  const members = new Map<string, Buffer>();
  for (const member of String(field).split(",")) {
    const [, algorithm, base64] = MEMBER.exec(member.trim()) ?? [];
    if (algorithm === undefined || base64 === undefined) throw refused(`${name} is malformed`, WAY_OUT);
    members.set(algorithm, Buffer.from(base64, "base64"));
  }
  const digest = members.get("sha-256");
  if (digest === undefined) throw refused(`${name} has no sha-256`, WAY_OUT);
  if (digest.length !== SHA256_BYTES) throw refused(`${name} has a sha-256 of another length`, WAY_OUT);
  return parseSha256(digest.toString("hex"));
}

function refused(why: string, wayOut: string): KitchenError {
  return new KitchenError("KS_BAD_REQUEST", `Cannot check the digest of the bytes: ${why} (${wayOut})`);
}
