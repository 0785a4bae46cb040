import { randomBytes } from "node:crypto";
import { constants, copyFileSync, linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { KitchenError, messageOf } from "../../core/errors.ts";
import { readToken } from "../../client/connection/token.ts";

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
    putIfNew(fresh, file);
  } catch (cause) {
    throw new KitchenError(
      "KS_USAGE",
      `Cannot keep a token in ${file}: ${messageOf(cause)} (choose another with --token-file)`,
      { cause },
    );
  } finally {
    rmSync(fresh, { force: true });
  }
  const token = readToken(file);
  if (token !== undefined) return token;
  throw new KitchenError(
    "KS_USAGE",
    `Cannot use the token file ${file}: it is empty or cannot be read (remove it, or choose another with --token-file)`,
  );
}

/** Not by a rename: this fails where another node was faster, whose token then counts. */
function putIfNew(fresh: string, file: string): void {
  try {
    linkOrCopy(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function linkOrCopy(fresh: string, file: string): void {
  try {
    linkSync(fresh, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPERM" && code !== "ENOTSUP") throw error;
    // A file system without hard links.
    copyFileSync(fresh, file, constants.COPYFILE_EXCL);
  }
}
