import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import { isDataUrl, parseDataUrl, type DataUrl } from "../core/data-url.ts";
import type { Glob } from "../core/glob.ts";
import { isReserved, RESULTS } from "../core/result-url.ts";
import type { DataThread } from "./data-thread.ts";
import { pathOf, type Layout } from "./layout.ts";
import type { Shelf } from "./shelf.ts";
import type { Adoption } from "./types.ts";

export interface AdoptParts {
  readonly layout: Layout;
  readonly shelf: Shelf;
  readonly thread: DataThread;
  readonly patterns: readonly Glob[];
  readonly signal?: AbortSignal | undefined;
}

/** Takes in files that lie in the data directory and match, where they are. Hidden ones are nobody's data. */
export async function* adopt(parts: AdoptParts): AsyncGenerator<Adoption> {
  for await (const found of walk(parts, "")) {
    parts.signal?.throwIfAborted();
    const adoption = "reason" in found ? refused(found.path, found.reason) : await adoptOne(parts, found.url);
    if (adoption !== undefined) yield adoption;
  }
}

type Found = { readonly url: DataUrl } | { readonly path: string; readonly reason: string };

/** What matches below a folder (`""`, or a path with a slash at its end) in the order of names. */
async function* walk(parts: AdoptParts, folder: string): AsyncGenerator<Found> {
  const { layout, patterns, signal } = parts;
  signal?.throwIfAborted();
  const children = await readdir(join(layout.root, folder), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => error,
  );
  if (children instanceof Error) {
    if (children.code !== "ENOENT") yield { path: folder, reason: children.message };
    return;
  }
  for (const child of children.toSorted(byName)) {
    if (child.name.startsWith(".")) continue;
    const path = `${folder}${child.name}`;
    if (child.isDirectory()) {
      if (patterns.some((pattern) => mayMatchBelow(pattern, `${path}/`))) yield* walk(parts, `${path}/`);
    } else if (patterns.some((pattern) => pattern.matches(path))) yield judge(child, path);
  }
}

function judge(child: Dirent, path: string): Found {
  if (child.isSymbolicLink()) return { path, reason: "it is a symbolic link" };
  if (!child.isFile()) return { path, reason: "it is no regular file" };
  if (isReserved(path)) return { path, reason: `${RESULTS} is for results of jobs` };
  if (isDataUrl(path)) return { url: path };
  try {
    return { url: parseDataUrl(path) };
  } catch (error) {
    return { path, reason: messageOf(error) };
  }
}

async function adoptOne(
  { layout, shelf, thread, signal }: AdoptParts,
  url: DataUrl,
): Promise<Adoption | undefined> {
  if (shelf.find(url) !== undefined) return undefined;
  try {
    const { size, sha256, isChanging } = await thread.hash(pathOf(layout, url), signal);
    if (isChanging) return refused(url, "it changed while it was read");
    const replica = { url, size, sha256, codec: null, type: "file", createdAtMs: Date.now() } as const;
    const adopted = await shelf.adopt(replica);
    return adopted === undefined ? undefined : { type: "adopted", replica: adopted };
  } catch (error) {
    signal?.throwIfAborted();
    return refused(url, messageOf(error));
  }
}

/** What begins otherwise than the pattern cannot match, however it goes on. */
function mayMatchBelow({ literalPrefix }: Glob, folder: string): boolean {
  return literalPrefix.startsWith(folder) || folder.startsWith(literalPrefix);
}

function refused(path: string, reason: string): Adoption {
  return { type: "refused", path, reason };
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}
