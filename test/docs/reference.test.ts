/** docs/reference is what the types and comments of the package say, and they say enough. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commentOf, isWithMembers, membersOf, readDeclarations, type Entry } from "../../scripts/reference/declarations.ts";
import { renderReference } from "../../scripts/reference/render.ts";
import { readPage, ROOT, rowsOf } from "./support/markdown.ts";

const entries = readDeclarations();
const exported = entries.filter(({ from }) => from !== undefined);

test("the pages are up to date: npm run reference writes them anew", () => {
  const pages = renderReference(entries);
  expect(readdirSync(join(ROOT, "docs/reference")).toSorted()).toEqual([...pages.keys()].toSorted());
  for (const [name, text] of pages) expect(readPage(`docs/reference/${name}`), name).toBe(text);
});

test("the README's table has every option of a client, and no other", () => {
  const options = entries.flatMap(({ name, declarations: [declaration] }) =>
    /^(?:Client|Connect)Options$/.test(name) && isWithMembers(declaration)
      ? membersOf(declaration).map((member) => member.name?.getText() ?? "")
      : [],
  );
  const rows = rowsOf("README.md");
  const table = rows.slice(rows.findIndex(([first]) => first === "option") + 2);
  const told = table.flatMap(([first = ""]) => /^`(\w+)`$/.exec(first)?.[1] ?? []);
  expect(told.toSorted()).toEqual(options.toSorted());
});

describe("every export", () => {
  test("says what it is", () => {
    expect(exported.filter(({ comment }) => comment.text === "").map(({ name }) => name)).toEqual([]);
  });

  test("that is a function or a class has an example", () => {
    const callable = exported.filter(({ kind }) => kind === "function" || kind === "class");
    expect(callable.length).toBeGreaterThan(10);
    expect(callable.filter(({ comment }) => comment.examples.length === 0).map(({ name }) => name)).toEqual([]);
  });

  test("says of each of its members what it is", () => {
    expect(exported.flatMap(silentMembersOf)).toEqual([]);
  });
});

function silentMembersOf({ name, declarations: [declaration] }: Entry): string[] {
  if (!isWithMembers(declaration)) return [];
  const members = membersOf(declaration).map((member) => [member.name?.getText() ?? `new ${name}`, commentOf(member)] as const);
  const said = new Set(members.flatMap(([called, { text }]) => (text === "" ? [] : [called])));
  return members.flatMap(([called]) => (said.has(called) ? [] : [`${name}: ${called}`]));
}
