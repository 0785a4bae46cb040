/** Completion as it happens in the shells themselves, key by key. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RemoteData, Client } from "kitchensink";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseLine } from "../../src/cli/completion/words.ts";
import { packageUrl } from "../../src/core/own-code.ts";
import { freePort } from "../store/support/redis.ts";
import { type NodeProcess, runCommand, startNodeProcess } from "../support/cli.ts";
import { hasTerminal, KEYS, Terminal } from "../support/terminal.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

const SHELLS = {
  bash: { command: ["bash", "--norc", "--noprofile", "-i"], begin: "PS1='$ '" },
  zsh: { command: ["zsh", "-f", "-i"], begin: "PS1='$ '; autoload -Uz compinit; compinit -u -D" },
} as const;

type Shell = keyof typeof SHELLS;

const isThere = (shell: Shell): boolean => spawnSync(shell, ["--version"]).status === 0;

async function startNode(): Promise<NodeProcess> {
  const file = join(temporaryDirectory(), "functions.ts");
  const registering = `import { namespace } from "${packageUrl("dist/functions.js").href}";`;
  writeFileSync(file, `${registering}\nexport default namespace("test", { multiply: (a, b) => a * b });`);
  const node = await startNodeProcess(["--embedded", "--node-name", "kitchen", "--module", file]);
  const client = new Client(node.url, { token: node.token });
  onTestFinished(() => client.close());
  for (const url of ["logs/a.csv", "logs/b.csv", "odd name/$(touch hacked);x", "x:y/z"])
    await new RemoteData({ raw: Buffer.from("1"), client }).save({ url });
  return node;
}

/** A shell in which the program is on the path. */
async function open(shell: Shell, { url, token }: { url: string; token: string }): Promise<Terminal> {
  const folder = temporaryDirectory();
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "ks"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(join(bin, "ks"), 0o755);
  writeFileSync(join(folder, "a-file"), "");
  const { command, begin } = SHELLS[shell];
  const env = { PATH: `${bin}:${process.env["PATH"]}`, KITCHENSINK_URL: url, KITCHENSINK_TOKEN: token };
  const terminal = new Terminal(command, { env, folder });
  terminal.type(`${begin}; eval "$(ks completion ${shell})"; echo rea''dy\r`);
  await terminal.shows("ready\n$");
  return terminal;
}

describe.each(["bash", "zsh"] as const)("%s completes", (shell) => {
  const isPossible = hasTerminal() && isThere(shell);

  test.runIf(isPossible)(
    "commands, flags and their values, functions and data",
    async () => {
      const terminal = await open(shell, await startNode());
      const completed: [string, string][] = [
        ["ks can", "$ ks cancel"],
        ["ks ret", "$ ks retry"],
        ["ks call --deta", "$ ks call --detach"],
        ["ks call te", "$ ks call test.multiply"],
        ["ks call --node k", "$ ks call --node kitchen"],
        ["ks functions t", "$ ks functions test"],
        ["ks data put x y --type o", "$ ks data put x y --type object"],
        ["ks data get lo", "$ ks data get logs/"],
        ["ks data get logs/a", "$ ks data get logs/a.csv"],
        ["ks data info x:y/", "$ ks data info x:y/z"],
        ["ks data put a-f", "$ ks data put a-file"],
      ];
      for (const [typed, line] of completed) {
        terminal.type(typed + KEYS.tab);
        await terminal.shows(line);
        terminal.type(KEYS.ctrlU);
      }
      expect(terminal.text()).not.toContain("error");
    },
    60_000,
  );

  test.runIf(isPossible)(
    "names that mean something to a shell so that they mean nothing",
    async () => {
      const terminal = await open(shell, await startNode());
      terminal.type(`ks data ls --json odd${KEYS.tab}`);
      await terminal.shows("odd\\ name/");
      terminal.type(KEYS.tab);
      await terminal.shows(/odd\\ name\/\\\$\\\(touch\\ hacked\\\)\\;x/);
      terminal.type(KEYS.enter);
      await terminal.shows('"url":"odd name/$(touch hacked);x"');
      expect(terminal.text()).not.toContain("touch: ");
    },
    60_000,
  );

  test.runIf(isPossible)(
    "nothing, and says nothing, when no node answers",
    async () => {
      const terminal = await open(shell, { url: `http://localhost:${await freePort()}/`, token: "none" });
      terminal.type(`ks call te${KEYS.tab}X`);
      await terminal.shows("teX");
      expect(terminal.text()).toMatch(/\n\$ ks call teX$/);
    },
    30_000,
  );
});

test("a word that is quoted is read as the shell reads it", () => {
  expect(parseLine("ks data get").words).toEqual(["data", "get"]);
  expect(parseLine("ks data get ").words).toEqual(["data", "get", ""]);
  expect(parseLine('ks a\\ b \'c d\' "e\\"f"').words).toEqual(["a b", "c d", 'e"f']);
  expect(parseLine("ks 'a b")).toEqual({ words: ["a b"], isInQuotes: true });
  expect(parseLine("ks")).toEqual({ words: [""], isInQuotes: false });
});

test("another shell is a wrong argument", async () => {
  const { code, stderr } = await runCommand(["completion", "tcsh"]);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("bash, zsh") });
});
