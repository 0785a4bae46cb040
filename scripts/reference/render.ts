/** Makes the pages of docs/reference of what is declared. */
import { namesIn, readDeclarations, type Entry } from "./declarations.ts";
import { PAGES, type Page } from "./pages.ts";
import { headingOf, Writer } from "./writer.ts";

const NOTE = "<!-- Made of the comments in src by `npm run reference`: change them there. -->";

/** A page with what stands on it. */
interface Placed {
  readonly page: Page;
  readonly entries: Entry[];
}

/** The texts of all pages, by their names in docs/reference. */
export function renderReference(entries: readonly Entry[] = readDeclarations()): ReadonlyMap<string, string> {
  const placed = PAGES.map((page) => ({ page, entries: page.names.map((name) => exported(name, entries)) }));
  const isPlaced = (entry: Entry): boolean => placed.some((place) => place.entries.includes(entry));
  for (const entry of entries) if (!isPlaced(entry)) homeOf(entry, placed).push(entry);
  const texts = placed.map((place) => [place.page.file, textOf(place, placed)] as const);
  return new Map([["README.md", indexOf(placed)], ...texts]);
}

function exported(name: string, entries: readonly Entry[]): Entry {
  const entry = entries.find((each) => each.name === name && each.from !== undefined);
  if (entry !== undefined) return entry;
  throw new Error(`No entry point exports ${name} (take it from PAGES in scripts/reference/pages.ts)`);
}

/** A type that has no export of its own stands below those that speak of it. */
function homeOf({ name, from }: Entry, placed: readonly Placed[]): Entry[] {
  if (from !== undefined)
    throw new Error(
      `${from} exports ${name}, which is on no page (add it to PAGES in scripts/reference/pages.ts)`,
    );
  const home = placed.find(({ entries }) =>
    entries.some(({ declarations }) => declarations.some((node) => namesIn(node).includes(name))),
  );
  if (home === undefined) throw new Error(`Nothing on a page speaks of ${name}`);
  return home.entries;
}

function textOf({ page, entries }: Placed, placed: readonly Placed[]): string {
  const writer = new Writer((name) => {
    const place = placed.find((each) => each.entries.some((entry) => entry.name === name));
    const entry = place?.entries.find((each) => each.name === name);
    if (place === undefined || entry === undefined) return undefined;
    return linkTo(entry, place.page === page ? "" : place.page.file);
  });
  const parts = [
    NOTE,
    `# ${page.title}`,
    page.text,
    importsOf(entries),
    ...entries.map((entry) => writer.entry(entry)),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** What a program would write to have what the page tells of, but for types. */
function importsOf(entries: readonly Entry[]): string {
  const sources = [...new Set(entries.flatMap(({ from }) => from ?? []))];
  const lines = sources.map((source) => {
    const names = entries.filter(({ from, isValue }) => from === source && isValue);
    return `import { ${names.map(({ name }) => name).join(", ")} } from "${source}";`;
  });
  return `\`\`\`ts\n${lines.join("\n")}\n\`\`\``;
}

function linkTo(entry: Entry, file: string): string {
  return `[\`${entry.name}\`](${file}#${headingOf(entry).toLowerCase().replaceAll(" ", "-")})`;
}

function indexOf(placed: readonly Placed[]): string {
  const rows = placed.map(({ page, entries }) => {
    const links = entries.filter(({ from }) => from !== undefined).map((entry) => linkTo(entry, page.file));
    return `| [${page.title}](${page.file}) | ${links.join(", ")} |`;
  });
  return `${NOTE}\n\n${INDEX}\n${rows.join("\n")}\n`;
}

const INDEX = `# Reference

Every export of the package, as its types and the comments at them tell it. The guides are in [docs](../README.md), the
command line is in [cli.md](../cli.md).

| import | what it has |
|---|---|
| \`kitchensink\` | clients, jobs, data, errors |
| \`kitchensink/functions\` | what modules of registered functions are made with |
| \`kitchensink/capture\` | capturing by itself |
| \`kitchensink/testing\` | clusters for tests |
| \`kitchensink/register\` | no export: \`node --import kitchensink/register main.ts\` runs TypeScript as it is, on every Node that the package supports, and stacks show its lines |

| page | what is there |
|---|---|`;
