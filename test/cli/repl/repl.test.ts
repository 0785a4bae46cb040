/** The REPL on a real terminal, key by key. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "kitchensink";
import { describe, expect, onTestFinished, test } from "vitest";
import { untilAborted } from "../../cluster/fixtures/jobs.mjs";
import { freePort } from "../../store/support/redis.ts";
import { type NodeProcess, runCommand, startNodeProcess } from "../../support/cli.ts";
import { hasTerminal, KEYS, Terminal } from "../../support/terminal.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

interface Session {
  readonly terminal: Terminal;
  readonly node: NodeProcess;
  readonly folder: string;
}

async function open(): Promise<Session> {
  const node = await startNodeProcess(["--embedded", "--node-name", "kitchen", "--num-workers", "2"]);
  const folder = temporaryDirectory();
  const env = { KITCHENSINK_TOKEN: node.token, XDG_STATE_HOME: join(folder, "state") };
  const terminal = new Terminal([process.execPath, MAIN, "repl", "--url", node.url], { env, folder });
  await terminal.shows(/Kitchen Sink .* 1 node, 2 workers\n[^\n]*\n>$/);
  return { terminal, node, folder };
}

/** Enters lines one after the other, each when the prompt is there, and waits for what they come to. */
async function enter(
  terminal: Terminal,
  ...lines: readonly (readonly [string, string | RegExp])[]
): Promise<void> {
  for (const [line, answer] of lines) {
    const before = terminal.text().length;
    terminal.type(line + KEYS.enter);
    const matcher =
      typeof answer === "string" ? expect.stringContaining(answer) : expect.stringMatching(answer);
    await expect.poll(() => terminal.text().slice(before), { timeout: 15_000 }).toEqual(matcher);
  }
}

describe.runIf(hasTerminal())("the REPL", () => {
  test("takes TypeScript, and functions travel with its variables as they are at the call", async () => {
    const { terminal } = await open();
    await enter(
      terminal,
      ["let factor: number = 3", /undefined\n>$/],
      ["class Scale { by(x: number): number { return x * factor } }", /undefined\n>$/],
      ["const times = (x: number): number => new Scale().by(x)", /undefined\n>$/],
      ["await c.call(times, 2)", /\n6\n>$/],
      ["factor = 10; await c.call(times, 2)", /\n20\n>$/],
      ['import { basename } from "node:path"; await c.call(() => basename("/a/b"))', /\n'b'\n>$/],
      ["const data = await new RemoteData({ obj: [1, 2] }).save()", /undefined\n>$/],
      ["await c.call(async (all: RemoteData<number[]>) => (await all.obj()).length, data)", /\n2\n>$/],
    );
    expect(terminal.text()).not.toContain("Uncaught");
  }, 60_000);

  test("shows what was thrown elsewhere, in the lines that were typed", async () => {
    const { terminal } = await open();
    terminal.type("function boom(a: number): never {\r");
    terminal.type("  throw new RangeError(`too big: ${a}`);\r}\r");
    await terminal.shows(/undefined\n>$/);
    terminal.type("await c.call(boom, 7)\r");
    await terminal.shows(/RangeError: too big: 7\n    at boom \(REPL\d+:2:\d+\)\n/);
    expect(terminal.text()).toMatch(/at async REPL\d+:1:\d+/);
  }, 60_000);

  test("puts the output of jobs above the line that is being typed", async () => {
    const { terminal } = await open();
    terminal.type("const job = c.call(async (ms: number) => {\r");
    terminal.type(
      "for (const n of [1, 2, 3]) { console.log('tick', n); await new Promise((f) => setTimeout(f, ms)) }\r",
    );
    terminal.type("}, 500)\r");
    await terminal.shows(/undefined\n(tick \d\n)*>$/);
    terminal.type(`const text = "漢字 während ${"x".repeat(80)}`);
    await terminal.shows("tick 3");
    terminal.type('"\r');
    await terminal.shows(/undefined\n>$/);
    await enter(terminal, ["text.length", /\n91\n>$/]);
    const lines = terminal.text().split("\n");
    expect(lines.filter((line) => line.startsWith("tick"))).toEqual(["tick 1", "tick 2", "tick 3"]);
    expect(lines.filter((line) => line.startsWith('> const text = "漢字'))).toHaveLength(1);
  }, 60_000);

  test("cancels by Ctrl-C the call that is awaited, and no other", async () => {
    const { terminal, node } = await open();
    const client = new Client(node.url, { token: node.token, output: "off" });
    onTestFinished(() => client.close());
    const wait = "async () => { console.log('be' + 'gun'); await new Promise((f) => setTimeout(f, 60_000)) }";
    await enter(terminal, [`const other = c.call(${wait}); other.id`, /'([0-9a-f-]{36})'/]);
    const id = /'([0-9a-f-]{36})'/.exec(terminal.text())?.[1] ?? "";
    await terminal.shows("begun");
    terminal.type(`await c.call(${wait})\r`);
    await terminal.shows(/begun[^]*begun/);
    terminal.type(KEYS.ctrlC);
    await terminal.shows(/KitchenError: The job was cancelled: Ctrl-C[^]*\n>$/);
    await expect.poll(async () => (await client.nodes())[0]?.running, { timeout: 15_000 }).toBe(1);
    expect((await client.job(id).status()).state).toBe("running");
    const elsewhere = client.call(untilAborted);
    // Nobody can wait by its id for what the cluster does not have yet.
    expect((await elsewhere.status()).queue).toBe("default");
    terminal.type(`console.log("wa" + "its"), await c.result("${elsewhere.id}")\r`);
    await terminal.shows(/waits[^]*started/);
    terminal.type(KEYS.ctrlC);
    await terminal.shows(/interrupted[^]*\n>$/);
    expect(await elsewhere.status()).toMatchObject({ state: "running" });
    await elsewhere.cancel();
    await elsewhere.catch(() => {});
    await enter(
      terminal,
      [`.cancel ${id}`, "told to stop"],
      [".nodes", /kitchen +http/],
      [`.logs ${id}`, /begun\n>$/],
      [".jobs", id],
    );
  }, 60_000);

  test("clears the line by Ctrl-C, leaves at the second, and keeps the history for its owner alone", async () => {
    const { terminal, folder } = await open();
    await enter(terminal, ["const answer = 42", /undefined\n>$/]);
    terminal.type(`half a line${KEYS.ctrlC}`);
    await terminal.shows(/half a line\n>$/);
    terminal.type(KEYS.ctrlC);
    await terminal.shows("To exit, press Ctrl+C again");
    terminal.type(KEYS.ctrlC);
    expect(await terminal.exited).toBe(0);
    expect(statSync(join(folder, "state", "kitchensink", "repl_history")).mode & 0o777).toBe(0o600);
  }, 60_000);
});

test("lines of a pipe are taken one by one, each when the one before is done", async () => {
  const node = await startNodeProcess();
  const child = spawn(process.execPath, [MAIN, "repl", "--url", node.url], {
    env: { PATH: process.env["PATH"], HOME: node.directory, KITCHENSINK_TOKEN: node.token },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stdin.end(
    "let n: number = await c.call(() => 1)\nconst next = (): number => {\n  return n + 1;\n}\nn = await c.call(next)\nawait c.call(next)\n",
  );
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(0);
  expect(stdout).toMatch(/> undefined\n> (\.\.\. |\| )*undefined\n> 2\n> 3\n> \n?$/);
}, 30_000);

test("with --json stdout has what each line comes to as JSON, and nothing else", async () => {
  const node = await startNodeProcess();
  const child = spawn(process.execPath, [MAIN, "repl", "--json", "--url", node.url], {
    env: { PATH: process.env["PATH"], HOME: node.directory, KITCHENSINK_TOKEN: node.token },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => (said[stream] += text));
  child.stdin.end(
    [
      "const n: number = 20",
      'await c.call(() => { console.log("printed"); return [n + 1] })',
      "new Map([[1, 2]])",
      'await c.call(() => { throw new RangeError("thrown") })',
      ".nodes",
      "",
    ].join("\n"),
  );
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(0);
  expect(said.stdout).toBe('{"result":[21]}\n{"inspected":"Map(1) { 1 => 2 }"}\n');
  for (const text of ["Kitchen Sink ", "printed\n", "RangeError: thrown", "WORKERS"])
    expect(said.stderr).toContain(text);
}, 30_000);

test.each([
  ["the end of a pipe", true],
  ["a pipe that stays open", false],
])(
  "a line that leaves the REPL ends it, before %s",
  async (_, isEnded) => {
    const node = await startNodeProcess();
    const child = spawn(process.execPath, [MAIN, "repl", "--url", node.url], {
      env: { PATH: process.env["PATH"], HOME: node.directory, KITCHENSINK_TOKEN: node.token },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.write("1 + 1\n.exit\n2 + 1\n3 + 1\n");
    if (isEnded) child.stdin.end();
    const [code] = (await once(child, "close")) as [number];
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/> 2\n> $/);
  },
  30_000,
);

test("where no node answers, there is no prompt", async () => {
  const { code, stdout, stderr } = await runCommand([
    "repl",
    "--url",
    `http://localhost:${await freePort()}/`,
  ]);
  expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
  expect(stderr).toContain("nothing listens there");
});
