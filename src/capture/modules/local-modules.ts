import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isOwnUrl } from "../../core/own-code.ts";
import { type ScriptInfo, scriptInfo, scriptSource, scriptsOf } from "../scopes/inspect.ts";
import { cannotTravel } from "./module-refusal.ts";
import { type Format, type ModuleText, readModuleText } from "./module-text.ts";
import { SOURCE_MARK } from "./module-code.ts";

/** A file of the user's that this process loaded as a module. */
export interface LocalModule {
  readonly scriptId: string;
  readonly url: string;
  readonly format: Format;
}

const { cache, main } = createRequire(import.meta.url) as NodeJS.Require & { main?: { filename?: string } };
const known = new Map<string, LocalModule | undefined>();

/** The local module that a script is; undefined for all else: Node's, packages', programs, and made code. */
export function localModule(scriptId: string): LocalModule | undefined {
  if (!known.has(scriptId)) known.set(scriptId, toLocalModule(scriptInfo(scriptId)));
  return known.get(scriptId);
}

/**
 * The module that was loaded from a url.
 *
 * @throws ModuleRefusal when it was loaded several times, because then nothing tells who has which
 */
export function loadedModule(url: string): LocalModule | undefined {
  const modules = scriptsOf(url).flatMap(({ scriptId }) => localModule(scriptId) ?? []);
  if (modules.length > 1)
    throw cannotTravel(`${url} was loaded ${modules.length} times in this process`, "load it once");
  return modules[0] ?? unlistedModule(url);
}

/** The local CommonJS modules that this process has. */
export function loadedCommonJs(): LocalModule[] {
  return Object.keys(cache).flatMap((file) => {
    const module = file.includes("node_modules") ? undefined : loadedModule(pathToFileURL(file).href);
    return module?.format === "commonjs" ? [module] : [];
  });
}

/** V8 forgets the script of a CommonJS module that made no functions. */
function unlistedModule(url: string): LocalModule | undefined {
  const file = url.startsWith("file:") ? fileURLToPath(url) : "";
  const isListed = cache[file] === undefined || !/\.c?[jt]s$/.test(file) || isMain(file);
  return isListed || url.includes("/node_modules/")
    ? undefined
    : { scriptId: DISK + url, url, format: "commonjs" };
}

const DISK = "disk:";

function sourceOf({ scriptId, url }: LocalModule): string {
  return scriptId.startsWith(DISK) ? readFileSync(fileURLToPath(url), "utf8") : scriptSource(scriptId);
}

/** A file of the user's that something turned into another program before V8 saw it, such as a test runner. */
export function isRewritten(scriptId: string): boolean {
  const { url, isModule } = scriptInfo(scriptId);
  if (scriptId === "" || isModule || localModule(scriptId) !== undefined || !isLocalUrl(url)) return false;
  return !isMain(fileURLToPath(url)) && !isMade(scriptSource(scriptId));
}

function isLocalUrl(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") && !isOwnUrl(url);
}

/** Functions that were revived here, and modules, show the url of where they came from. */
function isMade(text: string): boolean {
  return text.startsWith("(function($ks,imp0rt)") || text.includes(SOURCE_MARK);
}

function toLocalModule({ scriptId, url, isModule }: ScriptInfo): LocalModule | undefined {
  if (!isLocalUrl(url)) return undefined;
  const file = fileURLToPath(url);
  if (isMain(file) || (!isModule && cache[file] === undefined) || isMade(scriptSource(scriptId)))
    return undefined;
  return { scriptId, url, format: isModule ? "module" : "commonjs" };
}

/** Running it again would run the user's program again. */
export function isMain(file: string): boolean {
  if (file === main?.filename) return true;
  const [, given] = process.argv;
  if (given === undefined) return false;
  const program = existsSync(given) ? realpathSync(given) : given;
  // It may be named without its ending, or by its directory.
  return (
    file === program ||
    (file.startsWith(program) && /^(\.\w+|[\\/]index\.\w+)$/.test(file.slice(program.length)))
  );
}

const texts = new Map<string, ModuleText>();

/** @throws ModuleRefusal when the text cannot be read */
export function textOf(module: LocalModule): ModuleText {
  const { scriptId, format } = module;
  const read = texts.get(scriptId) ?? readModuleText(withoutAddresses(sourceOf(module)), format);
  texts.set(scriptId, read);
  return read;
}

/** @throws ModuleRefusal when the module cannot be loaded from its text */
export function loadableText(module: LocalModule): ModuleText {
  const read = textOf(module);
  if (read.awaits)
    throw cannotTravel(
      "its top level awaits, and workers load modules without waiting",
      "await inside of a function that it exports",
    );
  if (RESERVED.test(read.text))
    throw cannotTravel(
      "it uses names by which modules are made again ($ks_…, imp0rt)",
      "call them differently",
    );
  return read;
}

const RESERVED = /\$ks_|\bimp0rt\b/;

/** Comments at the end that say where the text came from hold true here only. */
function withoutAddresses(text: string): string {
  return text.replace(/(\s*\/\/[#@] source(Mapping)?URL=\S*\s*)+$/, "\n");
}
