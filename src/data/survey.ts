import { lstat, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Layout } from "./layout.ts";

/** More files than this are not looked at. */
const MOST_FILES = 100_000;
const MOST_EXAMPLES = 5;

/** Some files, of which a few are named. */
export interface Pile {
  readonly count: number;
  readonly bytes: number;
  readonly examples: readonly string[];
}

/** What a look at a data directory's files tells. */
export interface Survey {
  /** Names of data whose files are not there. */
  readonly missing: readonly string[];
  /** Files that are nobody's data. */
  readonly strangers: Pile;
  /** Damaged ones that were put aside. */
  readonly quarantined: Pile;
  /** Parts of arrivals that are not under way any more. */
  readonly leftovers: Pile;
  /** There are more files than were looked at. */
  readonly isPartial: boolean;
}

export interface SurveyOf {
  readonly layout: Layout;
  /** Names of data that ought to be there. */
  readonly known: ReadonlySet<string>;
  /** Paths of parts that are under way. */
  readonly parts: ReadonlySet<string>;
}

/** Looks at all files of a data directory, without reading them. Hidden ones are nobody's business. */
export async function survey({ layout, known, parts }: SurveyOf): Promise<Survey> {
  const seen = new Set<string>();
  const strangers: string[] = [];
  let isPartial = false;
  for await (const path of filesIn(layout.root, { isHiddenLeftOut: true })) {
    if (seen.size + strangers.length >= MOST_FILES) isPartial = true;
    if (isPartial) break;
    const name = relative(layout.root, path);
    if (known.has(name)) seen.add(name);
    else strangers.push(path);
  }
  const [quarantined, incoming] = await Promise.all([all(layout.quarantine), all(layout.incoming)]);
  return {
    missing: isPartial ? [] : [...known].filter((name) => !seen.has(name)),
    strangers: await pileOf(strangers, layout.root),
    quarantined: await pileOf(quarantined, layout.root),
    leftovers: await pileOf(
      incoming.filter((path) => !parts.has(path)),
      layout.root,
    ),
    isPartial,
  };
}

async function* filesIn(
  folder: string,
  { isHiddenLeftOut = false }: { readonly isHiddenLeftOut?: boolean } = {},
): AsyncGenerator<string> {
  // A folder may go at any time, with the last of its files.
  const children = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const child of children) {
    if (isHiddenLeftOut && child.name.startsWith(".")) continue;
    const path = join(folder, child.name);
    if (child.isDirectory()) yield* filesIn(path, { isHiddenLeftOut });
    else yield path;
  }
}

async function all(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of filesIn(folder)) if (paths.push(path) >= MOST_FILES) break;
  return paths;
}

async function pileOf(paths: readonly string[], root: string): Promise<Pile> {
  let bytes = 0;
  for (const path of paths) bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
  const examples = paths.slice(0, MOST_EXAMPLES).map((path) => relative(root, path));
  return { count: paths.length, bytes, examples };
}
