import { readFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { types } from "node:util";
import { knownPath, realmOf } from "./known.ts";
import type { PackageReference } from "../wire/wire.ts";

/** What of a module a value is: the module itself by an empty path, else the way to it from there. */
export type ModulePart =
  | { readonly id: string; readonly path: readonly string[] }
  | { readonly reference: PackageReference; readonly path: readonly string[] };

type RequireCache = Readonly<
  Record<string, { readonly exports: unknown; readonly loaded: boolean } | undefined>
>;

/** The modules that one `require` has loaded, and which of them were looked at. */
interface Loaded {
  readonly cache: WeakRef<RequireCache>;
  readonly files: Set<string>;
  count: number;
}

const parts = new WeakMap<object, ModulePart>();
const readBuiltins = new Set<string>();
const own: Loaded = loadedIn(createRequire(import.meta.url).cache);
let loaded: readonly Loaded[] = [own];
let loadedCount = 0;

function loadedIn(cache: RequireCache): Loaded {
  return { cache: new WeakRef(cache), files: new Set(), count: 0 };
}

/**
 * Finds packages in the cache of another `require` too. Jest has one for each test file, which loads packages of its
 * own. Does not keep the cache alive.
 * @public for commonjs/load.cjs
 */
export function addRequireCache(cache: RequireCache): void {
  loaded = [...loaded.filter((known) => known.cache.deref() !== undefined), loadedIn(cache)];
}

let mayHaveNewModules = true;

/** Modules load at any time but while a graph is captured: looking for new ones once for each is enough. */
export function expectNewModules(): void {
  mayHaveNewModules = true;
}

/** The part of a builtin module or of a package that `value` is, by identity. */
export function modulePart(value: object): ModulePart | undefined {
  if (mayHaveNewModules) readNewModules();
  mayHaveNewModules = false;
  return parts.get(value);
}

/** Counting what is loaded tells whether there are new ones. With a thousand modules that takes 50 µs. */
function readNewModules(): void {
  const { moduleLoadList } = process as NodeJS.Process & { moduleLoadList?: readonly string[] };
  if (loadedCount === 0 || moduleLoadList === undefined || moduleLoadList.length !== loadedCount) {
    loadedCount = moduleLoadList?.length ?? 1;
    for (const id of BUILTINS) if (isLoaded(id, moduleLoadList)) readBuiltin(id);
  }
  for (const one of loaded) readNewPackages(one);
}

function readNewPackages(one: Loaded): void {
  const cache = one.cache.deref() ?? {};
  const files = Object.keys(cache);
  if (files.length === one.count) return;
  one.count = files.length;
  for (const file of files) {
    const module = one.files.has(file) ? undefined : cache[file];
    if (module?.loaded !== true) continue;
    one.files.add(file);
    readPackageFile(file, module.exports);
  }
}

/** These have no name without "node:", and only newer versions list them, with it. */
const SCHEME_ONLY: readonly string[] = ["sea", "sqlite", "test", "test/reporters"];

const BUILTINS: ReadonlySet<string> = new Set(
  builtinModules.map((id) => id.replace(/^node:/, "")).concat(SCHEME_ONLY),
);

/** Where it cannot be told, those that would warn when they are loaded are left alone. */
function isLoaded(id: string, list: readonly string[] | undefined): boolean {
  if (list === undefined) return !SCHEME_ONLY.includes(id);
  // fs.promises is there before node:fs/promises is, which then costs nothing.
  return ["", "internal/"].some((at) => list.includes(`NativeModule ${at}${id}`));
}

function readBuiltin(id: string): void {
  if (readBuiltins.has(id) || id.startsWith("_") || id === "sys" || id === "wasi" || id === "punycode")
    return;
  readBuiltins.add(id);
  const exported = process.getBuiltinModule(`node:${id}`) as unknown;
  addExports(exported, { part: (path) => ({ id: `node:${id}`, path }), isSkipped: isGathered });
}

/** What builtin modules gather while the process runs: other modules, workers, data of users. Private names too. */
const GATHERED = new Set([
  "globalPaths",
  "parentPort",
  "repl",
  "settings",
  "worker",
  "workerData",
  "workers",
]);

function isGathered(name: string): boolean {
  return name.startsWith("_") || GATHERED.has(name);
}

function readPackageFile(file: string, exported: unknown): void {
  const reference = packageReference(file);
  if (reference !== undefined && exported !== undefined)
    addExports(exported, { part: (path) => ({ reference, path }) });
}

const MAX_DEPTH = 3;

interface Exports {
  readonly part: (path: readonly string[]) => ModulePart;
  readonly isSkipped?: (name: string) => boolean;
}

function addExports(exported: unknown, { part, isSkipped = () => false }: Exports): void {
  const queue: { value: object; path: readonly string[] }[] = [];
  const add = (value: unknown, path: readonly string[]): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
    if (parts.has(value) || knownPath(value) !== undefined || types.isProxy(value)) return;
    parts.set(value, part(path));
    if (path.length < MAX_DEPTH) queue.push({ value, path });
  };
  add(exported, []);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const key of Reflect.ownKeys(next.value)) {
      if (typeof key === "symbol" || isSkipped(key)) continue;
      // Getters are left alone: what they would return is found where it was made.
      add(Reflect.getOwnPropertyDescriptor(next.value, key)?.value, [...next.path, key]);
    }
    if (typeof next.value === "function") addCustom(next.value, next.path, add);
  }
}

/** Functions that are promisified in a way of their own keep it under this symbol. */
function addCustom(
  value: object,
  path: readonly string[],
  add: (part: unknown, path: readonly string[]) => void,
): void {
  const descriptor = Reflect.getOwnPropertyDescriptor(value, PROMISIFY);
  if (descriptor !== undefined) add(Reflect.get(value, PROMISIFY), [...path, "@@promisify"]);
}

const PROMISIFY = Symbol.for("nodejs.util.promisify.custom");

/** Follows a path of {@link ModulePart} from a module's exports. */
export function follow(exported: unknown, path: readonly string[]): unknown {
  let value = exported;
  for (const step of path) {
    value = (value as Record<string | symbol, unknown> | undefined)?.[
      step === "@@promisify" ? PROMISIFY : step
    ];
  }
  return value;
}

/**
 * For a function that V8 says was loaded from `url`: which export of a package it is. Finds those of ES modules,
 * which no cache lists.
 */
export function packagePart(value: object, url: string): ModulePart | undefined {
  if (!url.includes("/node_modules/")) return undefined;
  const file = url.startsWith("file:") ? fileURLToPath(url) : url;
  // One of another vm context is a copy that no module of this one is.
  if (!parts.has(value) && !own.files.has(file) && realmOf(value) === undefined) readModuleFile(file);
  return parts.get(value);
}

function readModuleFile(file: string): void {
  own.files.add(file);
  const reference = packageReference(file);
  if (reference === undefined) return;
  try {
    // The module is loaded already, so this runs nothing.
    addExports(createRequire(file)(file), { part: (path) => ({ reference, path }) });
  } catch {
    // One with a top-level await cannot be had synchronously; its functions then travel by value.
  }
}

const MARK = `${sep}node_modules${sep}`;

/** Which package a file belongs to, and where in it. */
export function packageReference(file: string): PackageReference | undefined {
  const at = file.lastIndexOf(MARK);
  if (at < 0) return undefined;
  const steps = file.slice(at + MARK.length).split(sep);
  const name = steps.slice(0, steps[0]?.startsWith("@") === true ? 2 : 1).join("/");
  const home = join(file.slice(0, at), "node_modules", name);
  const version = versionIn(home);
  return version === undefined
    ? undefined
    : { name, version, file: relative(home, file).split(sep).join("/") };
}

const versions = new Map<string, string | undefined>();

/** The version of the package in a directory; undefined when there is none. */
export function versionIn(directory: string): string | undefined {
  if (!versions.has(directory)) versions.set(directory, readVersion(directory));
  return versions.get(directory);
}

function readVersion(directory: string): string | undefined {
  try {
    const text = readFileSync(join(directory, "package.json"), "utf8");
    return (JSON.parse(text) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

/** The directories in which Node would look for packages from `start` on, nearest first. */
export function packageHomes(start: string, name: string): string[] {
  const homes: string[] = [];
  for (let at = start; ; at = dirname(at)) {
    homes.push(join(at, "node_modules", name));
    if (dirname(at) === at) return homes;
  }
}
