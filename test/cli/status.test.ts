/** What happens in a cluster, as `kitchensink status` and `kitchensink jobs` show it. */
import { fileURLToPath } from "node:url";
import { Client } from "kitchensink";
import { expect, onTestFinished, test } from "vitest";
import { showSpan } from "../../src/cli/time.ts";
import { frame } from "../../src/cli/watch.ts";
import { type CommandResult, type NodeProcess, RunningCommand, startNodeProcess } from "../support/cli.ts";
import { hasTerminal, KEYS, Terminal } from "../support/terminal.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

function start({ url, token }: NodeProcess, ...args: readonly string[]): RunningCommand {
  const command = new RunningCommand(args, { KITCHENSINK_URL: url, KITCHENSINK_TOKEN: token });
  onTestFinished(() => command.kill());
  return command;
}

async function run(node: NodeProcess, ...args: readonly string[]): Promise<CommandResult> {
  const command = start(node, ...args);
  const code = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

function connect({ url, token }: NodeProcess): Client {
  const client = new Client(url, { token, output: "off" });
  onTestFinished(() => client.close());
  return client;
}

async function endless(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

/** A node whose one worker runs a job that does not end, behind which another one waits. */
async function startBusy(): Promise<{ node: NodeProcess; running: string; waiting: string }> {
  const node = await startNodeProcess(["--embedded", "--node-name", "kitchen"]);
  const client = connect(node);
  await client.call(function done() {});
  const running = client.call(endless);
  await expect.poll(async () => (await running.status()).state).toBe("running");
  const waiting = client.with({ queue: "nowhere" }).call(function later() {});
  await waiting.status();
  return { node, running: running.id, waiting: waiting.id };
}

test("status shows nodes, queues, and what workers run", async () => {
  const { node, running } = await startBusy();
  const { code, stdout } = await run(node, "status");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^1 node, the embedded store.*, 1 job waits\n/);
  expect(stdout).toMatch(/\nkitchen +1 +1 +[\d.]+ +[\d.]+ +≤ .* ok\n/);
  expect(stdout).toMatch(/\nnowhere +1\n/);
  expect(stdout).toMatch(new RegExp(`\nkitchen 1 +\\d.* ${running}  endless\n`));
  const told = JSON.parse((await run(node, "status", "--json")).stdout) as object;
  expect(told).toMatchObject({ node: "kitchen", queues: [{ queue: "nowhere", jobs: 1 }] });
}, 30_000);

test("jobs are listed by state and label, the newest first", async () => {
  const { node, running, waiting } = await startBusy();
  const idsIn = ({ stdout }: CommandResult): unknown[] =>
    stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
  const all = await run(node, "jobs");
  expect(all.stdout).toMatch(/^ID +STATE +LABEL +QUEUE +NODE +AGE +TOOK\n/);
  expect(all.stdout).toMatch(/succeeded +done +default +kitchen/);
  expect(idsIn(await run(node, "jobs", "--json")).slice(0, 2)).toEqual([waiting, running]);
  expect(idsIn(await run(node, "jobs", "--json", "--state", "running"))).toEqual([running]);
  expect(idsIn(await run(node, "jobs", "--json", "--label", "late"))).toEqual([waiting]);
  expect(idsIn(await run(node, "jobs", "--json", "--limit", "1"))).toHaveLength(1);
  const none = await run(node, "jobs", "--state", "cancelled");
  expect(none).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("No job of that kind") });
  expect((await run(node, "jobs", "--state", "odd")).code).toBe(2);
}, 30_000);

test("a part of an id is enough where only one job has it", async () => {
  const { node, running, waiting } = await startBusy();
  expect(await run(node, "logs", running.slice(-6))).toMatchObject({ code: 0 });
  const several = await run(node, "logs", waiting.slice(0, 4));
  expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining("give more of it") });
  const none = await run(node, "logs", "ffff");
  expect(none).toMatchObject({ code: 5, stderr: expect.stringContaining("begins or ends with ffff") });
  const cancelled = await run(node, "cancel", running.slice(-8), waiting.slice(-8));
  expect(cancelled.stdout).toBe(`${running}  told to stop\n${waiting}  cancelled\n`);
}, 30_000);

test.runIf(hasTerminal())(
  "on a terminal it is shown in place, until q is pressed",
  async () => {
    const { node, running } = await startBusy();
    const env = { KITCHENSINK_TOKEN: node.token };
    const terminal = new Terminal([process.execPath, MAIN, "status", "--watch", "--url", node.url], { env });
    await terminal.shows(running);
    await connect(node).job(running).cancel();
    await terminal.shows(/^1 node(?![^]*WORKER )[^]*q leaves$/);
    terminal.type("q");
    expect(await terminal.exited).toBe(0);
    expect(terminal.text()).toBe("");
  },
  40_000,
);

test.runIf(hasTerminal())(
  "Ctrl-C leaves it too, with the exit code that this has",
  async () => {
    const { node } = await startBusy();
    const env = { KITCHENSINK_TOKEN: node.token };
    const terminal = new Terminal([process.execPath, MAIN, "jobs", "--watch", "--url", node.url], { env });
    await terminal.shows("q leaves");
    terminal.type(KEYS.ctrlC);
    expect(await terminal.exited).toBe(130);
  },
  30_000,
);

test("elsewhere one state is printed behind the other", async () => {
  const { node } = await startBusy();
  const command = start(node, "jobs", "--watch");
  await command.says(/ID +STATE[^]*\n\nID +STATE/);
  command.kill("SIGINT");
  expect(await command.exited).toBe(130);
}, 30_000);

/** What is seen on a screen of that size. */
function seen(text: string, columns: number, rows: number): string {
  // oxlint-disable-next-line no-control-regex -- what moves the cursor is no part of what is seen
  return frame(text, { columns, rows }).replaceAll(/\u001b\[\w/g, "");
}

test("what has no room on the screen is counted", () => {
  expect(seen("a\nb\nc\nd\n", 80, 3)).toBe("a\r\n… 3 more\r\nq leaves");
});

test("a terminal that does not know its size is taken for a usual one", () => {
  expect(seen("abc\ndef\n", 0, 0)).toBe("abc\r\ndef\r\nq leaves");
});

test("a span of time has two units at most", () => {
  expect([0, 12.4, 3_440, 310_000, 7_500_000, 273_600_000].map(showSpan)).toEqual([
    "0 ms",
    "12 ms",
    "3.4 s",
    "5m 10s",
    "2h 5m",
    "3d 4h",
  ]);
});
