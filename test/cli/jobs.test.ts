/** Commands that make jobs, and that look at one or end it, as a user types them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "kitchensink";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../store/support/redis.ts";
import { packageUrl } from "../../src/core/own-code.ts";
import { type CommandResult, type NodeProcess, RunningCommand, startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const FUNCTIONS = `
import { namespace } from "${packageUrl("dist/functions.js").href}";
/** Adds two numbers. */
const add = (a: number, b: number): number => a + b;
function say(text: string): string {
  process.stdout.write(text);
  console.error("a warning");
  return text.toUpperCase();
}
class Point { x = 1 }
const kinds = () => new Map([[1, new Point()]]);
const fail = () => { throw new RangeError("too big") };
function* count(to: number) { for (let n = 1; n <= to; n++) yield n }
const wait = async () => {
  console.log("begun");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};
export default namespace("test", { add, say, kinds, fail, count, wait });
export const alone = () => "alone";
`;

const NO_JOB = "0198c2d4-6d1e-7c3a-9f00-5e1b6f59a302";

async function startNode(): Promise<NodeProcess> {
  const file = join(temporaryDirectory(), "functions.ts");
  writeFileSync(file, FUNCTIONS);
  return await startNodeProcess(["--embedded", "--node-name", "kitchen", "--module", file]);
}

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

const objectsIn = ({ stdout }: CommandResult): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("call", () => {
  test("prints the result as JSON, behind what the function printed", async () => {
    const node = await startNode();
    expect(await run(node, "call", "test.add", "1", "-2")).toEqual({ code: 0, stdout: "-1\n", stderr: "" });
    expect(await run(node, "call", "alone")).toMatchObject({ code: 0, stdout: '"alone"\n' });
    expect(await run(node, "call", "--namespace", "test", "add", "1", "2")).toMatchObject({ stdout: "3\n" });
    expect(await run(node, "call", "test.add", "1", "2", "--instant")).toMatchObject({ stdout: "3\n" });
    const said = await run(node, "call", "test.say", '"hello"');
    expect(said).toEqual({ code: 0, stdout: 'hello\n"HELLO"\n', stderr: "a warning\n" });
    expect(await run(node, "call", "test.count", "3")).toMatchObject({ code: 0, stdout: "1\n2\n3\n" });
  }, 30_000);

  test("shows what JSON cannot say as Node does", async () => {
    const node = await startNode();
    const shown = "Map(1) { 1 => Point { x: 1 } }";
    expect(await run(node, "call", "test.kinds")).toMatchObject({ code: 0, stdout: `${shown}\n` });
    expect(objectsIn(await run(node, "call", "test.kinds", "--json"))).toMatchObject([{ inspected: shown }]);
  });

  test("with --json prints objects alone, the output of the job on stderr", async () => {
    const node = await startNode();
    const said = await run(node, "call", "--json", "test.say", '"hello"');
    expect(objectsIn(said)).toEqual([{ id: expect.any(String), result: "HELLO" }]);
    expect(said.stderr).toContain("hello");
    const counted = objectsIn(await run(node, "call", "--json", "test.count", "2"));
    expect(counted).toMatchObject([{ item: 1 }, { item: 2 }]);
    const failed = await run(node, "call", "--json", "test.fail");
    expect(failed.code).toBe(3);
    expect(objectsIn(failed)).toMatchObject([{ error: { name: "RangeError", message: "too big" } }]);
  });

  test("shows what was thrown, from where it was thrown to the job", async () => {
    const node = await startNode();
    const { code, stdout, stderr } = await run(node, "call", "test.fail");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(
      /^RangeError: too big\n    at fail \(.*functions\.ts:12:28\)\n    at test\.fail \(job \S+\)\n$/,
    );
  });

  test("is cancelled by Ctrl-C", async () => {
    const node = await startNode();
    const command = start(node, "call", "test.wait");
    await command.says("begun");
    command.kill("SIGINT");
    expect(await command.exited).toBe(130);
    const client = connect(node);
    await expect.poll(async () => (await client.nodes())[0]?.running).toBe(0);
  });

  test("says of mistakes what to do", async () => {
    const node = await startNode();
    const mistakes: [readonly string[], number, RegExp][] = [
      [["test.say", "hello"], 2, /Not JSON: hello \(arguments are JSON; as a text it would be '"hello"'\)/],
      [["test.none"], 5, /No function "none" is registered .*"test" has add/],
      [["test.add", "--instant", "--detach"], 2, /both --instant and --detach/],
      [["test.add", "--timeout", "soon"], 2, /Not a value for --timeout: "soon"/],
      [["test.wait", "--timeout", "100ms"], 3, /longer than its deadline/],
      [["test.add", "--url", `http://localhost:${await freePort()}/`], 6, /nothing listens there/],
    ];
    for (const [args, code, message] of mistakes) {
      const ended = await run(node, "call", ...args);
      expect(ended, args.join(" ")).toMatchObject({ code, stderr: expect.stringMatching(message) });
    }
  }, 30_000);
});

test("a job that was detached is followed, read and cancelled by its id", async () => {
  const node = await startNode();
  const { stdout } = await run(node, "call", "test.say", '"one\\ntwo"', "--detach");
  const id = stdout.trim();
  expect(await run(node, "result", id)).toEqual({ code: 0, stdout: '"ONE\\nTWO"\n', stderr: "" });
  expect(await run(node, "logs", id)).toEqual({ code: 0, stdout: "one\ntwo", stderr: "a warning\n" });
  const pieces = objectsIn(await run(node, "logs", "--json", id));
  expect(pieces).toContainEqual({ stream: "stderr", text: "a warning\n", at: expect.any(String) });
  const elsewhere = await run(node, "call", "test.say", '"one"', "--detach", "--queue", "gpu");
  expect(elsewhere.stderr).toBe(
    "The job waits: no node runs the queue gpu (kitchensink start --queue gpu)\n",
  );
  expect((await run(node, "cancel", elsewhere.stdout.trim())).code).toBe(0);
  const waiting = (await run(node, "call", "test.wait", "--detach")).stdout.trim();
  const following = start(node, "logs", "-f", waiting);
  await following.says("begun");
  const cancelled = await run(node, "cancel", waiting, "--reason", "wrong input");
  expect(cancelled).toEqual({ code: 0, stdout: `${waiting}  told to stop\n`, stderr: "" });
  expect(await following.exited).toBe(0);
  const result = await run(node, "result", waiting);
  expect(result).toEqual({
    code: 4,
    stdout: "",
    stderr: "kitchensink: The job was cancelled: wrong input\n",
  });
  expect((await run(node, "cancel", waiting)).stdout).toBe(`${waiting}  has ended already\n`);
}, 30_000);

test("a job that came to nothing is retried by a part of its id, as a new job", async () => {
  const node = await startNode();
  const id = (await run(node, "call", "test.wait", "--detach")).stdout.trim();
  expect(await run(node, "retry", id)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Cannot retry the job .* of test\.wait: it is (queued|running) \(/),
  });
  await run(node, "cancel", id);
  expect((await run(node, "result", id)).code).toBe(4);
  const { code, stdout, stderr } = await run(node, "retry", id.slice(-8));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const again = stdout.trim();
  await start(node, "logs", "-f", again).says("begun");
  await run(node, "cancel", again);
  expect((await run(node, "result", again)).code).toBe(4);
  const [told] = objectsIn(await run(node, "retry", again, "--json"));
  expect(told).toEqual({ id: expect.any(String), of: again });
  await run(node, "cancel", "--all");
}, 30_000);

test("who stops waiting leaves the job alone", async () => {
  const node = await startNode();
  const id = (await run(node, "call", "test.wait", "--detach")).stdout.trim();
  const following = start(node, "logs", "-f", id);
  await following.says("begun");
  following.kill("SIGINT");
  expect(await following.exited).toBe(130);
  const client = connect(node);
  expect((await client.job(id).status()).state).toBe("running");
  expect(await run(node, "cancel", "--all")).toMatchObject({ code: 0, stdout: "1 job cancelled\n" });
});

test("what others wrote into a message does not reach the terminal as it is", async () => {
  const node = await startNode();
  const { stdout } = await run(node, "call", "test.wait", "--detach");
  await run(node, "cancel", stdout.trim(), "--reason", "\u001b[2Jgone");
  const { code, stderr } = await run(node, "result", stdout.trim());
  expect(code).toBe(4);
  expect(stderr).toContain("\\u{1b}[2Jgone");
  expect(stderr).not.toContain("\u001b");
});

test("a job that is not there has an exit code of its own, and no id another", async () => {
  const node = await startNode();
  for (const command of [["result"], ["logs"], ["logs", "-f"], ["cancel"], ["retry"]]) {
    const { code, stdout, stderr } = await run(node, ...command, NO_JOB);
    expect(code).toBe(5);
    expect(stdout + stderr).toMatch(/there is no (such )?job/i);
    const what = await run(node, ...command, "what");
    expect(what).toMatchObject({ code: 2, stderr: expect.stringContaining("kitchensink jobs lists them") });
  }
  expect((await run(node, "cancel")).stderr).toMatch(/either ids of jobs, or --all/);
}, 30_000);

test("nodes and functions are listed", async () => {
  const node = await startNode();
  const nodes = await run(node, "nodes");
  expect(nodes.stdout).toMatch(/^NAME +URL +WORKERS .*\nkitchen +http:\S+ +1 +0 +default .* ok\n$/);
  expect(objectsIn(await run(node, "nodes", "--json"))).toMatchObject([{ name: "kitchen", workers: 1 }]);
  const functions = await run(node, "functions");
  expect(functions.stdout).toMatch(/\ndefault\.alone\(\)\ntest\.add\(a, b\) +Adds two numbers\.\n/);
  expect((await run(node, "functions", "test")).stdout).not.toContain("alone");
  expect((await run(node, "functions", "none")).code).toBe(5);
  const bare = await startNodeProcess();
  expect((await run(bare, "functions")).stderr).toMatch(/^No functions are registered/);
}, 30_000);
