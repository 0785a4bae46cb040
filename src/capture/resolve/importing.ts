import { fileURLToPath } from "node:url";
import { IMPORT_NAME, shareByName } from "./shared.ts";
import type { FunctionCode, ScopeShape } from "../wire/units.ts";

type Importer = (specifier: string) => Promise<unknown>;

let importer: Importer = (specifier) => import(specifier);

/** Decides what `import(specifier)` inside of revived functions gives; relative ones come as absolute urls. */
export function setImporter(use: Importer): void {
  importer = use;
}

/** What stands for `import` in a unit: a function, with the `meta` of the file that the code was written in. */
export function importFor(shape: ScopeShape): Importing {
  return importerAt(metaUrlIn(shape));
}

/** What stands for `import`, called or followed by `.meta`. */
export type Importing = ((specifier: unknown) => Promise<unknown>) & { readonly meta: Meta };

/** `first` may know what a specifier means before anybody else does. */
export function importerAt(
  url: string | undefined,
  first: (specifier: string) => unknown = nothing,
): Importing {
  const importing = async (specifier: unknown): Promise<unknown> =>
    first(String(specifier)) ?? (await importer(resolve(String(specifier), url)));
  return Object.assign(importing, { meta: metaOf(url) });
}

function nothing(): undefined {
  return undefined;
}

function metaUrlIn({ members, children }: ScopeShape): string | undefined {
  const member: FunctionCode | undefined = members.find(({ metaUrl }) => metaUrl !== undefined);
  return member?.metaUrl ?? children.map(metaUrlIn).find((url) => url !== undefined);
}

function resolve(specifier: string, base: string | undefined): string {
  return base !== undefined && /^\.{0,2}\//.test(specifier) && URL.canParse(specifier, base)
    ? new URL(specifier, base).href
    : specifier;
}

interface Meta {
  readonly url: string | undefined;
  readonly resolve: (specifier: unknown) => string;
  readonly filename?: string;
  readonly dirname?: string;
}

function metaOf(url: string | undefined): Meta {
  // What is not relative is found where import() finds it.
  const meta = { url, resolve: (specifier: unknown) => import.meta.resolve(resolve(String(specifier), url)) };
  if (url === undefined || !url.startsWith("file:")) return meta;
  const filename = fileURLToPath(url);
  return { ...meta, filename, dirname: filename.replace(/[/\\][^/\\]*$/, "") };
}

shareByName(IMPORT_NAME, (specifier: unknown) => importer(String(specifier)));
