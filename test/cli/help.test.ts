/** What commands say of themselves, compared with docs/cli.md. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runCommand } from "../support/cli.ts";

/** Those with pages and tests of their own. */
const ELSEWHERE = new Set(["start", "data", "doctor", "help"]);
/** Those that all have. */
const COMMON = new Set(["--url", "--json", "--help"]);

const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

async function commands(): Promise<string[]> {
  const { stdout } = await runCommand(["--help"]);
  const listed = stdout.slice(stdout.indexOf("Commands:"));
  return [...listed.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name = ""]) => name)
    .filter((name) => !ELSEWHERE.has(name));
}

test("docs/cli.md has a row for each command, with its flags, and each command's help an example", async () => {
  const names = await commands();
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    const { stdout } = await runCommand([name, "--help"]);
    expect(stdout).toMatch(new RegExp(`\nExamples?:\n  kitchensink ${name}\\b`));
    const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = ""]) => flag);
    const row = new RegExp(`^\\| \`${name}\\b.*`, "m").exec(page)?.[0] ?? "";
    expect(row, name).not.toBe("");
    for (const flag of flags) if (!COMMON.has(flag)) expect(row, name).toContain(`\`${flag}\``);
  }
}, 30_000);

test.each([
  [["--no-such-flag"], "kitchensink"],
  [["start", "--port", "1"], "kitchensink start"],
  [["data", "lss"], "kitchensink data"],
  [["data", "ls", "--no-such-flag"], "kitchensink data ls"],
])("a mistake in %j points to the help that has what was meant", async (args, command) => {
  const { code, stdout, stderr } = await runCommand(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(`(${command} --help lists what there is)`);
});
