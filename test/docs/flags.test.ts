import { describe, expect, test } from "vitest";
import { runCommand } from "../support/cli.ts";
import { blocksOf, pages, rowsOf } from "./support/markdown.ts";

async function flagsOfHelp(): Promise<string[]> {
  const { stdout } = await runCommand(["start", "--help"]);
  return [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag = ""]) => flag);
}

/** Flags of other programs in the same blocks. */
const FOREIGN = new Set(["--omit", "--ignore-scripts"]);

describe("the flags of kitchensink start", () => {
  test("are those of the table in docs/operations.md", async () => {
    const told = rowsOf("docs/operations.md").flatMap(
      ([first = ""]) => /^`(--[\w-]+)/.exec(first)?.[1] ?? [],
    );
    expect(told.toSorted()).toEqual((await flagsOfHelp()).filter((flag) => flag !== "--help").toSorted());
  });

  test("are all that the pages use", async () => {
    const commands = pages()
      .flatMap(blocksOf)
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
      .filter((line) => line.includes("kitchensink start"));
    const files = pages()
      .flatMap(blocksOf)
      .filter(
        ({ language, text }) => /^(ini|dockerfile|yaml)$/.test(language) && text.includes("kitchensink"),
      )
      .map(({ text }) => text);
    expect(files.length).toBeGreaterThan(2);
    const used = [...commands, ...files]
      .flatMap((text) => [...text.matchAll(/[ "](--[a-z-]+)/g)].map(([, flag = ""]) => flag))
      .filter((flag) => !FOREIGN.has(flag));
    expect(used.length).toBeGreaterThan(0);
    const known = await flagsOfHelp();
    expect(used.filter((flag) => !known.includes(flag))).toEqual([]);
  });
});
