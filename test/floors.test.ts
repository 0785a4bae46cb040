import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const FORBIDDEN = [
  ["core", "../node/node.ts", "startNode"],
  ["core", "node:fs", "readFileSync"],
  ["capture", "../codec/frames.ts", "frame"],
  ["transfer", "../data/directory.ts", "DataDirectory"],
  ["capture", "../transfer/get.ts", "get"],
  ["client", "../store/port.ts", "Store"],
  ["client", "../worker/pool.ts", "Pool"],
  ["store", "../worker/pool.ts", "Pool"],
  ["data", "../store/port.ts", "Store"],
  ["client", "../data/directory.ts", "DataDirectory"],
  ["worker", "../node/node.ts", "startNode"],
  ["node", "../cli/banner.ts", "banner"],
  ["node", "ioredis", "Redis"],
  ["node", "../index.ts", "Client"],
] as const;

/** Where a file with such an import is planted while this test runs, relative to the project. */
const planted = FORBIDDEN.map(([room], at) => join("src", room, `planted-${process.pid}-${at}`));
/** The names of the rules that the planted files break, by file. */
const broken = new Map<string, string[]>();

beforeAll(async () => {
  for (const [at, [, specifier, name]] of FORBIDDEN.entries()) {
    const folder = join(ROOT, planted[at] ?? "");
    mkdirSync(folder);
    const path = specifier.startsWith("../") ? `../${specifier}` : specifier;
    const text = `import { ${name} } from "${path}";\nexport const planted: unknown = ${name};\n`;
    writeFileSync(join(folder, "planted.ts"), text);
  }
  for (const { code, filename } of await lint(planted))
    broken.set(filename, [...(broken.get(filename) ?? []), code]);
});
afterAll(() => {
  for (const folder of planted) rmSync(join(ROOT, folder), { recursive: true, force: true });
});

test.each(FORBIDDEN.map((row, at) => [...row, at] as const))(
  "the lint catches an import from src/%s of %s",
  (_room, _specifier, _name, at) => {
    expect(broken.get(join(planted[at] ?? "", "planted.ts"))).toContain("eslint(no-restricted-imports)");
  },
);

/** What the lint finds in the folders. It ends with 1 when it finds something. */
async function lint(
  folders: readonly string[],
): Promise<readonly { readonly code: string; readonly filename: string }[]> {
  const said = await new Promise<string>((resolve) => {
    execFile(
      "npx",
      ["--no-install", "oxlint", "--format", "json", ...folders],
      { cwd: ROOT },
      (_error, stdout) => resolve(stdout),
    );
  });
  return (JSON.parse(said) as { diagnostics: { code: string; filename: string }[] }).diagnostics;
}
