/** The code in the pages is code: TypeScript compiles against the built package, all else parses. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { AROUND, CODEC_PACKAGE } from "./support/examples.ts";
import { packageExports } from "./support/exports.ts";
import { blocksOf, pages, readPage, ROOT, type Block } from "./support/markdown.ts";
import { run, workspace } from "./support/workspace.ts";

interface Placed extends Block {
  readonly page: string;
}

const blocks: Placed[] = pages().flatMap((page) => blocksOf(page).map((block) => ({ ...block, page })));
const written = (language: string): Placed[] => blocks.filter((block) => block.language === language);

/** Each has a test of its name that compiles and runs what is there, as one program or with other packages. */
const ELSEWHERE = new Set(["docs/data.md", "docs/functions.md"]);
/** Text is what programs print, or how bytes are laid out: that of pages with tests of their own is compared there. */
const KNOWN = new Set(["ts", "sh", "text", "js", "python", "json", "yaml", "ini", "dockerfile"]);

test("every block says what it is written in, and some test knows what to do with that", () => {
  expect(blocks.filter(({ language }) => !KNOWN.has(language))).toEqual([]);
  for (const page of pages()) {
    const fences = readFileSync(join(ROOT, page), "utf8").match(/^ *```.*$/gm) ?? [];
    expect(fences.length, page).toBe(2 * blocks.filter((block) => block.page === page).length);
  }
});

describe("TypeScript", () => {
  const compiled = written("ts").filter((block) => !ELSEWHERE.has(block.page) && !isSignature(block));

  test.each([...new Set(compiled.map(({ page }) => page))])("of %s compiles", async (page) => {
    const files = compiled
      .filter((block) => block.page === page)
      .map((block) => [nameOf(block), textOf(block)]);
    const modules = compiled
      .filter(({ tag }) => tag === "file=functions.ts")
      .map(({ text }) => ["functions.ts", text]);
    const folder = workspace({
      "around.d.ts": AROUND,
      "cbor-x.d.ts": CODEC_PACKAGE,
      ...Object.fromEntries([...modules, ...files]),
    });
    const { stdout } = await run(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit"], { folder });
    expect(stdout).toBe("");
  });
});

function nameOf({ tag, line }: Block): string {
  return tag.startsWith("file=") ? tag.slice("file=".length) : `line-${line}.ts`;
}

/** In the reference, what does not stand under the heading of an example says how something is declared. */
function isSignature({ page, line }: Placed): boolean {
  if (!page.startsWith("docs/reference/")) return false;
  const above = readPage(page).split("\n").slice(0, line);
  return !/^#+ Examples?$/.test(above.findLast((text) => text.startsWith("#")) ?? "");
}

/** Examples of the reference leave out the imports of what the package exports. */
function textOf({ page, text }: Placed): string {
  if (!page.startsWith("docs/reference/")) return `${text}\nexport {};`;
  const own = new Set(text.match(/(?<=^(?:const|class|function) |^(?:import|const) \{[^}]*)\w+/gm));
  const missing = packageExports().filter(
    ({ name }) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(text),
  );
  const imports = missing.map(
    ({ name, from, isType }) => `import { ${isType ? "type " : ""}${name} } from "${from}";`,
  );
  return `${imports.join(" ")} ${text}\nexport {};`;
}

test.each(written("js"))("the JavaScript in line $line of $page parses", async ({ text }) => {
  const { stderr } = await run(process.execPath, ["--check", "main.mjs"], {
    folder: workspace({ "main.mjs": text }),
  });
  expect(stderr).toBe("");
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!hasPython).each(written("python"))(
  "the Python in line $line of $page parses",
  async ({ text }) => {
    const folder = workspace({ "main.py": text });
    const { stderr } = await run("python3", ["-c", "import ast; ast.parse(open('main.py').read())"], {
      folder,
      env: { HOME: process.env["HOME"] },
    });
    expect(stderr).toBe("");
  },
);

test.each(written("json"))("the JSON in line $line of $page parses", ({ text }) => {
  expect(() => JSON.parse(text)).not.toThrow();
});

test.each(written("yaml"))("the YAML in line $line of $page parses", ({ text }) => {
  const documents = parseAllDocuments(text);
  expect(documents.length).toBeGreaterThan(0);
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
});

test.each(written("ini"))(
  "the unit of systemd in line $line of $page has sections of settings",
  ({ text }) => {
    const lines = text.replaceAll("\\\n", " ").split("\n").filter(Boolean);
    expect(lines[0]).toMatch(/^\[\w+\]$/);
    expect(lines.filter((line) => !/^(?:\[\w+\]|[A-Z]\w+=\S.*|#.*)$/.test(line))).toEqual([]);
  },
);

test.each(written("dockerfile"))("the image in line $line of $page is made by instructions", ({ text }) => {
  const lines = text
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines[0]).toMatch(/^FROM node:\d+/);
  expect(
    lines.filter(
      (line) => !/^(?:FROM|WORKDIR|COPY|RUN|USER|VOLUME|EXPOSE|STOPSIGNAL|ENTRYPOINT) \S/.test(line),
    ),
  ).toEqual([]);
  for (const [, list = ""] of text.matchAll(/^ENTRYPOINT (.*)$/gm))
    expect(JSON.parse(list)).toContain("start");
});
