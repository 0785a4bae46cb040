import { readFileSync } from "node:fs";
import type { Cluster, Redis } from "ioredis";
import { KitchenError } from "../../core/errors.ts";

/** One Lua file each in `lua/`, whose head says what goes in and what comes back. */
export const SCRIPT_NAMES = [
  "active",
  "add-replicas",
  "append",
  "cancel",
  "claim",
  "data-of",
  "delete-data",
  "dropped",
  "drops",
  "find-data",
  "finish",
  "leave",
  "list-data",
  "nodes",
  "place",
  "read",
  "register",
  "remove-replicas",
  "stream",
  "submit",
  "sweep",
  "units",
] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

export type Argument = string | number | Buffer;
type Command = (prefix: string, ...args: readonly Argument[]) => Promise<unknown>;
export type Scripts = Readonly<Record<ScriptName, Command>>;

const FOLDER = new URL("../../../lua/", import.meta.url);
const INCLUDE = /^-- include (\S+)$/gm;

/** A script's text with what it includes. */
export function loadScript(name: ScriptName): string {
  return read(`${name}.lua`).replace(INCLUDE, (_line, path: string) => read(path));
}

/**
 * Makes the scripts callable. ioredis sends a script's text on a connection's first use and its hash from then on; a
 * hash that the server has forgotten is followed by the text. Replies hold bytes.
 *
 * Each names two keys, neither of which ever exists: while a Redis Cluster moves the keys of their slot to another node,
 * no node runs a script that names two keys and has not both. Half of the keys would be missing there.
 */
export function defineScripts(redis: Redis | Cluster): Scripts {
  const commands = SCRIPT_NAMES.map((name): [ScriptName, Command] => {
    const command = `ks_${name}`;
    redis.defineCommand(command, { numberOfKeys: 2, lua: loadScript(name) });
    const call: unknown = Reflect.get(redis, `${command}Buffer`);
    if (typeof call !== "function")
      throw new KitchenError("KS_INTERNAL", `No command was made of ${name}.lua`);
    const run = call.bind(redis) as Command;
    return [name, (prefix, ...args) => run(prefix, `${prefix}nothing`, ...args)];
  });
  return Object.fromEntries(commands) as Record<ScriptName, Command>;
}

function read(path: string): string {
  return readFileSync(new URL(path, FOLDER), "utf8");
}
