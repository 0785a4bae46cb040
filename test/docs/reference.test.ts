/** docs/reference is what the types and comments of the package say, and they say enough. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";
import { packageExports } from "./support/exports.ts";
import { ROOT, rowsOf } from "./support/markdown.ts";
import { run } from "./support/workspace.ts";

const FOLDER = join(ROOT, "docs/reference");
const TOOL = join(ROOT, "scripts/reference");

/** What is said of each export, by its heading. */
const sections = new Map(
  readdirSync(FOLDER).flatMap((file) => {
    const parts = readFileSync(join(FOLDER, file), "utf8").split(/^## /m).slice(1);
    return parts.map((part) => [/^\w+(?:\(\))?/.exec(part)?.[0] ?? "", part] as const);
  }),
);

test("the pages are up to date, and nothing that is exported lacks a comment: npm run reference writes them anew", async () => {
  const fresh = temporaryDirectory();
  const { code, stdout, stderr } = await run(
    join(TOOL, "node_modules/.bin/typedoc"),
    ["--options", join(TOOL, "typedoc.json"), "--out", fresh],
    { folder: ROOT },
  );
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  expect(readdirSync(FOLDER).toSorted()).toEqual(readdirSync(fresh).toSorted());
  for (const file of readdirSync(fresh))
    expect(readFileSync(join(FOLDER, file), "utf8"), file).toBe(readFileSync(join(fresh, file), "utf8"));
}, 60_000);

test("every export is there", () => {
  const names = packageExports().map(({ name }) => name);
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => !sections.has(name) && !sections.has(`${name}()`))).toEqual([]);
});

test("every function and every class has an example", () => {
  const callable = [...sections].filter(([name, text]) => name.endsWith("()") || /^### Methods$/m.test(text));
  expect(callable.length).toBeGreaterThan(15);
  const silent = callable.filter(([, text]) => !/^#+ Examples?$/m.test(text));
  expect(silent.map(([name]) => name)).toEqual([]);
});

test("the README's table has every option of a client, and no other", () => {
  const options = ["ClientOptions", "ConnectOptions"].flatMap((name) =>
    [...(sections.get(name) ?? "").matchAll(/^\| <a id="[\w-]+"><\/a> `(\w+)\??`/gm)].map(
      ([, option = ""]) => option,
    ),
  );
  const rows = rowsOf("README.md");
  const table = rows.slice(rows.findIndex(([first]) => first === "option") + 2);
  const told = table.flatMap(([first = ""]) => /^`(\w+)`$/.exec(first)?.[1] ?? []);
  expect(told.toSorted()).toEqual([...new Set(options)].toSorted());
});
