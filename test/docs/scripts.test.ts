/** The scripts of the README and of docs/data.md run as they stand. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { startNodeProcess, type NodeProcess } from "../support/cli.ts";
import { blocksOf, ROOT, type Block } from "./support/markdown.ts";
import { run, runScript, workspace, type Ended } from "./support/workspace.ts";

const README = blocksOf("README.md");
const typescript = (blocks: readonly Block[]): Block[] => blocks.filter(({ language }) => language === "ts");
const scripts = typescript(README).filter(({ tag }) => !tag.startsWith("file="));
const modules = Object.fromEntries(
  typescript(README).flatMap(({ tag, text }) =>
    tag.startsWith("file=") ? [[tag.slice("file=".length), text]] : [],
  ),
);

function scriptWith(text: string): Block {
  const found = scripts.find((block) => block.text.includes(text));
  if (found === undefined) throw new Error(`No script of the README has ${text}`);
  return found;
}

/** A node with the README's module, and a folder with one of its scripts. */
async function atNode(script: string): Promise<{ node: NodeProcess; folder: string }> {
  const folder = workspace(modules);
  const node = await startNodeProcess(["--embedded", "--module", join(folder, "functions.ts")]);
  writeFileSync(join(folder, "main.ts"), script.replaceAll("http://localhost:6323/", node.url));
  return { node, folder };
}

async function runAtNode(script: string, args: readonly string[] = []): Promise<Ended> {
  const { node, folder } = await atNode(script);
  return await runScript("main.ts", args, { folder, env: { KITCHENSINK_TOKEN: node.token } });
}

test("the quick start prints what the README says", async () => {
  const [script, output] = README.filter(({ tag }) => tag === "quick-start");
  expect(await runAtNode(script?.text ?? "")).toEqual({ code: 0, stdout: output?.text, stderr: "" });
});

describe("the scripts of the README run", () => {
  test("cancelling", async () => {
    const { code, stdout, stderr } = await runAtNode(scriptWith("cancelAll").text);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^\d\n$/);
  });

  test("captured functions", async () => {
    const { code, stdout, stderr } = await runAtNode(scriptWith("dollars").text);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").filter(Boolean).toSorted()).toEqual(["1 108", "4 108", "9 108"]);
  });

  test("jobs as futures", async () => {
    const { code, stdout, stderr } = await runAtNode(scriptWith("asCompleted").text);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines.slice(0, 2).toSorted()).toEqual(["0 fulfilled", "1 fulfilled"]);
    expect(lines).toContain("124750 374750");
  });

  test("progress, which without a terminal is a line on stderr", async () => {
    const { code, stdout, stderr } = await runAtNode(scriptWith("progress(n, count").text);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/^squares {2}\[=+\] {2}100% {2}3 of 3 {2}in 0:0\d\n$/);
  });

  test("registered functions", async () => {
    const script = scriptWith("c.rpc<typeof api>").text;
    const said = /\/\/ (3 7 .*)/.exec(script)?.[1];
    expect(await runAtNode(script)).toEqual({ code: 0, stdout: `${said}\n`, stderr: "" });
  });

  test("output", async () => {
    const { code, stdout, stderr } = await runAtNode(scriptWith("createWriteStream").text);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^\[fn [0-9a-f]{6}\] hello\n$/);
  });

  test("errors", async () => {
    const { code, stdout } = await runAtNode(scriptWith("OutOfStock").text);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^KS_UNKNOWN_FUNCTION No function "buy"/);
  });

  test("instant calls", async () => {
    expect(await runAtNode(scriptWith("async: false").text)).toEqual({ code: 0, stdout: "42\n", stderr: "" });
  });

  test("calls from jobs", async () => {
    expect(await runAtNode(scriptWith("client().map").text)).toEqual({ code: 0, stdout: "10\n", stderr: "" });
  });

  test("remote data", async () => {
    expect(await runAtNode(scriptWith("RemoteData").text)).toEqual({
      code: 0,
      stdout: "[ 1, 2, 3 ]\n",
      stderr: "",
    });
  });

  test("jobs by id, from another process", async () => {
    const { node, folder } = await atNode(scriptWith("c.job<number>").text);
    const response = await fetch(new URL("rpc/test/add", node.url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${node.token}`,
        "content-type": "application/json",
        prefer: "respond-async",
      },
      body: "[1, 2]",
    });
    const { id } = (await response.json()) as { id: string };
    const env = { KITCHENSINK_TOKEN: node.token };
    const { code, stdout, stderr } = await runScript("main.ts", [id], { folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^(queued|running|succeeded)\n3\n$/);
  });
});

test("the scripts of docs/data.md, read from top to bottom, are one that runs", async () => {
  const script = typescript(blocksOf("docs/data.md"))
    .map(({ text }) => text)
    .join("\n");
  const node = await startNodeProcess();
  const folder = workspace({
    "main.ts": `${script.replaceAll("http://localhost:6323/", node.url)}\nawait c.close();`,
  });
  const { stdout: types } = await run(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit"], { folder });
  expect(types).toBe("");
  const { code, stdout, stderr } = await runScript("main.ts", [], {
    folder,
    env: { KITCHENSINK_TOKEN: node.token },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.split("\n").slice(0, 4)).toEqual([
    expect.stringMatching(/^data\/[0-9a-f-]{36}$/),
    "[ 11, 22, 33 ]",
    "3",
    expect.stringContaining("lacked 0 B, and nobody less; it had a free worker first"),
  ]);
  expect(stdout).toContain("present 0");
});

test("the call by curl answers with the token of the user's file", async () => {
  const { node, folder } = await atNode("");
  const token = join(folder, ".local/state/kitchensink/token");
  mkdirSync(dirname(token), { recursive: true });
  writeFileSync(token, `${node.token}\n`);
  const command = README.find(({ tag }) => tag === "curl")?.text.replace("http://localhost:6323/", node.url);
  const { code, stdout } = await run("sh", ["-c", command ?? "false"], { folder });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "3" });
});
