import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

test.each([
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
])("the lint catches an import from src/%s of %s", (room, specifier, name) => {
  const folder = `${ROOT}src/${room}/planted-${process.pid}`;
  mkdirSync(folder);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = specifier.startsWith("../") ? `../${specifier}` : specifier;
  writeFileSync(
    `${folder}/planted.ts`,
    `import { ${name} } from "${path}";\nexport const planted: unknown = ${name};\n`,
  );
  const lint = (): Buffer =>
    execFileSync("npx", ["--no-install", "oxlint", folder], { cwd: ROOT, stdio: "pipe" });
  expect(lint).toThrow(expect.objectContaining({ stdout: expect.objectContaining({}) }));
  try {
    lint();
  } catch (error) {
    expect(String((error as { stdout: Buffer }).stdout)).toContain("no-restricted-imports");
  }
});
