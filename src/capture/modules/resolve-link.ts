import { existsSync, realpathSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMain, loadedModule, type LocalModule } from "./local-modules.ts";
import { cannotTravel } from "./module-refusal.ts";
import { OWN_PACKAGE } from "../resolve/references.ts";
import { packageHomes, packageReference, versionIn } from "../resolve/modules.ts";

/** What a specifier in a local module means. */
export type Resolved =
  | { readonly kind: "builtin" }
  | { readonly kind: "package"; readonly name: string; readonly version: string }
  | { readonly kind: "module"; readonly module: LocalModule }
  | { readonly kind: "json"; readonly url: string }
  /** This process has not loaded it. */
  | { readonly kind: "absent"; readonly url: string };

/** What a specifier stands in. */
interface File {
  readonly url: string;
}

/** @throws ModuleRefusal when it means what cannot be told or cannot travel */
export function resolveLink(from: File, specifier: string): Resolved {
  if (isBuiltin(specifier)) return { kind: "builtin" };
  if (/^(\.{0,2}\/|\.{1,2}$|file:)/.test(specifier)) return toFile(from, specifier, urlOf(from, specifier));
  return toPackage(from, specifier) ?? toFile(from, specifier, foundUrl(from, specifier));
}

function toPackage(from: File, specifier: string): Resolved | undefined {
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (name === OWN_PACKAGE) return { kind: "package", name, version: "" };
  const home = packageHomes(dirname(fileURLToPath(from.url)), name).find(
    (one) => versionIn(one) !== undefined,
  );
  if (home === undefined || !isInstalled(home)) return undefined;
  return { kind: "package", name, version: versionIn(home) ?? "" };
}

/** Linked packages of a workspace are local. */
function isInstalled(home: string): boolean {
  return packageReference(join(realpathSync(home), "package.json")) !== undefined;
}

function toFile({ url: from }: File, specifier: string, url: string | undefined): Resolved {
  if (url === undefined)
    throw cannotTravel(
      `which module ${JSON.stringify(specifier)} means cannot be told`,
      "import it by its path",
    );
  const module = loadedModule(url);
  if (module !== undefined) return { kind: "module", module };
  const file = fileURLToPath(url);
  const reference = packageReference(file);
  if (reference !== undefined) return { kind: "package", name: reference.name, version: reference.version };
  if (isMain(file))
    throw cannotTravel(
      "it imports the program itself, which would run again",
      "move what it imports into a module",
    );
  if (file.endsWith(".json")) return { kind: "json", url };
  if (/\.(node|wasm)$/.test(file))
    throw cannotTravel(
      `it imports ${new URL(url, from).pathname}, which is no JavaScript`,
      "load it inside a function",
    );
  return { kind: "absent", url };
}

/** Where relative specifiers lead: the loaded module is the truth, since loaders give files other endings. */
function urlOf(from: File, specifier: string): string {
  const { href } = new URL(specifier, from.url);
  if (loadedModule(href) !== undefined) return href;
  const found = endings(href).find((candidate) => loadedModule(candidate) !== undefined);
  return found ?? (existsSync(new URL(href)) ? href : (foundUrl(from, specifier) ?? href));
}

function endings(href: string): string[] {
  const bare = href.replace(/\.([cm]?)jsx?$/, "");
  const swapped = bare === href ? [] : [".ts", ".tsx", ".mts", ".cts"].map((ending) => bare + ending);
  const added = [".js", ".ts", ".tsx", ".mjs", ".cjs", "/index.js", "/index.ts"];
  return [...swapped, ...added.map((ending) => href.replace(/\/$/, "") + ending)];
}

function foundUrl(from: File, specifier: string): string | undefined {
  try {
    return pathToFileURL(createRequire(from.url).resolve(specifier)).href;
  } catch {
    return undefined;
  }
}
