import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Cluster, Redis } from "ioredis";
import { KitchenError } from "../../core/errors.ts";
import { packageUrl } from "../../core/own-code.ts";

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
  "expire",
  "find-data",
  "finish",
  "leave",
  "list-data",
  "lost-data",
  "nodes",
  "now",
  "place",
  "progress",
  "release",
  "read",
  "register",
  "remove-replicas",
  "running",
  "some-active",
  "spec",
  "stream",
  "submit",
  "sweep",
  "unit-sizes",
  "units",
  "waiting",
] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

export type Argument = string | number | Buffer;
const FOLDER = packageUrl("lua/");
const INCLUDE = /^-- include (\S+)(?: as (\w+))?$/gm;

/**
 * A script's text with what it includes. What it includes under a name is a function that gives what the file returns: it is
 * made when it is first called, as a server pays for every function that a script makes, each time that it runs. Until
 * then `made_<name>` is nil.
 */
export function loadScript(name: ScriptName): string {
  return read(`${name}.lua`).replace(INCLUDE, (_line, path: string, as: string | undefined) =>
    as === undefined ? read(path) : madeWhenCalled(as, read(path)),
  );
}

function madeWhenCalled(name: string, text: string): string {
  const made = `made_${name}`;
  return `local ${made}\nlocal function ${name}()\n${made} = ${made} or (function()\n${text}end)()\nreturn ${made}\nend`;
}

const SOURCES = SCRIPT_NAMES.map((name) => {
  const text = loadScript(name);
  return [name, { text, hash: createHash("sha1").update(text).digest("hex") }] as const;
});

/**
 * Runs scripts on a connection. A script's text is sent first, and its hash from then on; a hash that the server has
 * forgotten is followed by the text.
 *
 * Each call names two keys, neither of which ever exists: while a Redis Cluster moves the keys of their slot to another
 * node, no node runs a script that names two keys and has not both. Half of the keys would be missing there.
 */
export class Scripts {
  readonly #redis: Redis | Cluster;
  readonly #sources = new Map(SOURCES);
  readonly #known = new Set<ScriptName>();
  #resends = 0;
  #trips = 0;

  constructor(redis: Redis | Cluster) {
    this.#redis = redis;
  }

  /** How often a script had to be sent again: what was sent behind it has run before it. */
  get resends(): number {
    return this.#resends;
  }

  /** How many scripts were sent. */
  get trips(): number {
    return this.#trips;
  }

  /** The reply, with bytes for texts. */
  async run(name: ScriptName, prefix: string, args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#send(name, prefix, args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      // It will have forgotten the others too.
      this.#known.clear();
      this.#resends += 1;
      return await this.#send(name, prefix, args);
    }
  }

  #send(name: ScriptName, prefix: string, args: readonly Argument[]): Promise<unknown> {
    const source = this.#sources.get(name);
    if (source === undefined) throw new KitchenError("KS_INTERNAL", `There is no script ${name}.lua`);
    this.#trips += 1;
    const keys = ["2", prefix, `${prefix}nothing`];
    if (this.#known.has(name)) return this.#redis.callBuffer("EVALSHA", source.hash, ...keys, ...args);
    this.#known.add(name);
    return this.#redis.callBuffer("EVAL", source.text, ...keys, ...args);
  }
}

function read(path: string): string {
  return readFileSync(new URL(path, FOLDER), "utf8");
}
