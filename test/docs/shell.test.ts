/** The shell commands in the pages are there, and so are their flags. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../support/cli.ts";
import { blocksOf, pages, readPage, ROOT } from "./support/markdown.ts";
import { commandsIn, flagsIn } from "./support/shell.ts";
import { run, workspace } from "./support/workspace.ts";

const blocks = pages().flatMap((page) => blocksOf(page).map((block) => ({ ...block, page })));
const shell = blocks.filter(({ language }) => language === "sh");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};

/** In blocks, and in the code within lines. */
const commands = [
  ...shell.flatMap(({ page, line, text }) =>
    commandsIn(text).map((words) => ({ where: `${page}:${line}`, words })),
  ),
  ...pages().flatMap((page) =>
    [...readPage(page).matchAll(/`((?:npx kitchensink|kitchensink|npm run) [^`<…]+)`/g)].flatMap(
      ([, text = ""]) => commandsIn(text).map((words) => ({ where: page, words })),
    ),
  ),
];

test.each(shell)("$page, line $line: the shell understands it", async ({ text }) => {
  const { code, stderr } = await run("sh", ["-n", "-c", text], { folder: workspace({}) });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

describe("kitchensink", () => {
  const own = commands.filter(({ words: [program = ""] }) => ["kitchensink", "ks"].includes(program));
  const helps = new Map<string, Promise<string>>();
  const helpOf = (path: readonly string[]): Promise<string> => {
    const known = helps.get(path.join(" ")) ?? runCommand([...path, "--help"]).then(({ stdout }) => stdout);
    helps.set(path.join(" "), known);
    return known;
  };

  /** The words that name the command: `data ls`. */
  async function pathOf(words: readonly string[], path: readonly string[] = []): Promise<readonly string[]> {
    const [word = ""] = words;
    const isCommand = new RegExp(`^Commands:[^]*^ {2}${word.replaceAll(/\W/g, String.raw`\$&`)}\\b`, "m");
    return word === "" || !isCommand.test(await helpOf(path))
      ? path
      : await pathOf(words.slice(1), [...path, word]);
  }

  test("has the commands that the pages use, with the flags that they use", async () => {
    expect(own.length).toBeGreaterThan(50);
    const wrong: string[] = [];
    for (const { where, words } of own) {
      const path = await pathOf(words.slice(1));
      const help = await helpOf(path);
      const missing = flagsIn(words).filter(
        (flag) => !new RegExp(`^ {2}(?:-\\w, )?${flag}\\b|^ {2}${flag}, `, "m").test(help),
      );
      const next = words[1 + path.length];
      const isAnswer = next === undefined || next.startsWith("-") || !help.includes("\nCommands:\n");
      if (!isAnswer || missing.length > 0) wrong.push(`${where}: ${words.join(" ")}: ${missing.join(" ")}`);
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});

describe("npm", () => {
  const known = new Map<string, Promise<string[]>>();
  const runs = commands.filter(({ words: [program, run_] }) => program === "npm" && run_ === "run");

  test("has the scripts that the pages use", () => {
    const shorthands = commands.flatMap(({ words: [program, name = ""] }) =>
      program === "npm" && ["start", "test"].includes(name) ? [name] : [],
    );
    const used = [...runs.map(({ words }) => words[2] ?? ""), ...shorthands];
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("hands the flags that the pages use to programs that know them", async () => {
    const wrong: string[] = [];
    for (const { where, words } of runs) {
      const flags = flagsIn(words.slice(words.indexOf("--") + 1)).filter((flag) => flag !== "--help");
      const program = /(?:node|register) (\S+)$/.exec(scripts[words[2] ?? ""] ?? "")?.[1];
      if (!words.includes("--") || program === undefined) continue;
      if (!known.has(program)) known.set(program, flagsOf(program));
      const has = await known.get(program);
      wrong.push(
        ...flags.filter((flag) => has?.includes(flag) !== true).map((flag) => `${where}: ${program} ${flag}`),
      );
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  /** By its help, or, where it takes so few that it has none, by its text. */
  async function flagsOf(program: string): Promise<string[]> {
    const text = readFileSync(join(ROOT, program), "utf8");
    const args = ["--import", "kitchensink/register", program, "--help"];
    const { stdout } = text.includes("help")
      ? await run(process.execPath, args, { folder: ROOT })
      : { stdout: text };
    return stdout.match(/--[a-z][a-z-]*/g) ?? [];
  }
});

test("vitest is given files that are there", () => {
  const files = commands.flatMap(({ words }) =>
    words[0] === "vitest" ? words.filter((word) => word.startsWith("test/")) : [],
  );
  expect(files.length).toBeGreaterThan(2);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test("what curl sends is JSON", () => {
  const bodies = shell.flatMap(({ text }) =>
    [...text.matchAll(/ -d '([^']*)'/g)].map(([, body = ""]) => body),
  );
  expect(bodies.length).toBeGreaterThan(4);
  for (const body of bodies) expect(() => JSON.parse(body), body).not.toThrow();
});
