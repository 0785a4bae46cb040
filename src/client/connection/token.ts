import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where this user's state is kept: `$XDG_STATE_HOME/kitchensink`, usually `~/.local/state/kitchensink`. */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment["XDG_STATE_HOME"];
  return join(
    base !== undefined && base.startsWith("/") ? base : join(homedir(), ".local", "state"),
    "kitchensink",
  );
}

/** The file in which nodes of this user keep the token, unless they were told another. */
export function defaultTokenFile(environment: NodeJS.ProcessEnv = process.env): string {
  return join(stateDirectory(environment), "token");
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/i;

export function isLoopback(hostName: string): boolean {
  return LOOPBACK.test(hostName);
}

/**
 * The token to send to a node: `KITCHENSINK_TOKEN`, or for a node on this machine the token file of this user, which
 * is not sent anywhere else. `undefined` when there is none.
 */
export function findToken(url: URL, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = environment["KITCHENSINK_TOKEN"];
  if (given !== undefined && given !== "") return given;
  return isLoopback(url.hostname) ? readToken(defaultTokenFile(environment)) : undefined;
}

/** The token in a file; `undefined` when there is no such file or nothing in it. */
export function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, "utf8").trim();
    return token === "" ? undefined : token;
  } catch {
    return undefined;
  }
}
