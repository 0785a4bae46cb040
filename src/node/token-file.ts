import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { KitchenError } from "../core/errors.ts";
import { readToken } from "../client/token.ts";

const TOKEN_BYTES = 32;

/**
 * The token in the file; makes both, readable by this user alone, where they are not there yet. Nodes that start at the
 * same time end up with one token. @throws KitchenError `KS_USAGE` when the file cannot be read or made
 */
export function ensureToken(file: string): string {
  const known = readToken(file);
  if (known !== undefined) return known;
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(fresh, `${randomBytes(TOKEN_BYTES).toString("base64url")}\n`, { mode: 0o600 });
    linkIfNew(fresh, file);
    unlinkSync(fresh);
  } catch (cause) {
    throw new KitchenError(
      "KS_USAGE",
      `Cannot keep a token in ${file}: ${cause instanceof Error ? cause.message : String(cause)} (choose another with --token-file)`,
      { cause },
    );
  }
  const token = readToken(file);
  if (token !== undefined) return token;
  throw new KitchenError("KS_USAGE", `Cannot use the token file ${file}: it is empty or cannot be read`);
}

/** A link, not a rename: it fails where another node was faster, whose token then counts. */
function linkIfNew(fresh: string, file: string): void {
  try {
    linkSync(fresh, file);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw error;
  }
}
