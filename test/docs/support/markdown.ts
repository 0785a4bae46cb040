import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** A fenced block: "```ts quick-start" has the language `ts` and the tag `quick-start`. */
export interface Block {
  readonly language: string;
  readonly tag: string;
  readonly text: string;
  /** The line of its fence, from 1. */
  readonly line: number;
}

export function pages(): string[] {
  const files = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  const docs = files.filter((name) => name.endsWith(".md")).toSorted();
  return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...docs.map((name) => `docs/${name}`)];
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** The anchors of a page: of its headings, as GitHub makes them, and those that are written out. */
export function anchorsOf(page: string): string[] {
  const prose = readPage(page).replaceAll(/^```.*?^```$/gms, "");
  const seen = new Map<string, number>();
  const written = [...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
  const made = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = text.replaceAll(/[^\p{L}\p{N}\p{Pc}\- ]/gu, "").replaceAll(" ", "-");
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return [...written, ...made];
}

export function blocksOf(page: string): Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? "",
    tag: match[2] ?? "",
    text: match[3] ?? "",
    line: text.slice(0, match.index).split("\n").length,
  }));
}

/** The rows of all tables of a page, cell by cell, without the heads. */
export function rowsOf(page: string): string[][] {
  return readPage(page)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}
