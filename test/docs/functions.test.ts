/** docs/functions.md, from its first line to its last: what it says is done, and what it shows comes out. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../support/cli.ts";
import { startCluster, type Cluster } from "kitchensink/testing";
import { blocksOf, ROOT, type Block } from "./support/markdown.ts";
import { run, runScript, workspace } from "./support/workspace.ts";

const PAGE = blocksOf("docs/functions.md");
const tagged = (language: string, tag: string): Block[] =>
  PAGE.filter((block) => block.language === language && block.tag === tag);
const modules = Object.fromEntries(
  PAGE.flatMap(({ tag, text }) => (tag.startsWith("file=") ? [[tag.slice("file=".length), text]] : [])),
);

/** A folder with the page's modules, in which its packages are installed. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = workspace({ ...modules, ...files });
  for (const name of ["zod", "@opentelemetry"])
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  return folder;
}

interface Place {
  readonly cluster: Cluster;
  readonly env: Readonly<Record<string, string>>;
  /** A block's text, for this node. */
  readonly here: (block: Block | undefined) => string;
}

/** A node with the page's module. */
async function atShop(work: (place: Place) => Promise<void>): Promise<void> {
  await using cluster = await startCluster({ modules: [join(folderWith({}), "shop.ts")] });
  const here = (block: Block | undefined): string =>
    block?.text.replaceAll("http://localhost:6323/", cluster.urls[0] ?? "") ?? "";
  await work({ cluster, here, env: { KITCHENSINK_TOKEN: cluster.token } });
}

test("the clients compile, with the module's type and with what kitchensink types prints", () =>
  atShop(async ({ cluster, env, here }) => {
    const [command] = tagged("sh", "types");
    const [, flags = ""] = /^npx kitchensink (.*) > api\.d\.ts$/m.exec(command?.text ?? "") ?? [];
    const { stdout: types } = await runCommand([...flags.split(" "), "--url", cluster.urls[0] ?? ""], env);
    const [client, typed] = [tagged("ts", "client")[0], tagged("ts", "typed-client")[0]].map(here);
    const folder = folderWith({ "api.d.ts": types, "client.ts": client ?? "", "typed.ts": typed ?? "" });
    const { stdout } = await run(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit"], { folder });
    expect(stdout).toBe("");
    expect(await runScript("typed.ts", [], { folder, env })).toEqual({
      code: 0,
      stdout: "1 × hat\n",
      stderr: "",
    });
  }));

test("the client prints what the page says", () =>
  atShop(async ({ env, here }) => {
    const folder = folderWith({ "main.ts": here(tagged("ts", "client")[0]) });
    const [output] = tagged("text", "client");
    expect(await runScript("main.ts", [], { folder, env })).toEqual({
      code: 0,
      stdout: output?.text,
      stderr: "",
    });
  }));

test("each call by curl answers what the page says", () =>
  atShop(async ({ env, here }) => {
    const [commands, answers] = [tagged("sh", "curl"), tagged("text", "curl")];
    expect([commands.length, answers.length]).toEqual([3, 3]);
    for (const [at, command] of commands.entries()) {
      const { stdout } = await run("sh", ["-c", here(command)], { folder: folderWith({}), env });
      expect(`${stdout}\n`).toBe(answers[at]?.text);
    }
  }));

test("a node with the page's tracing records the spans that it names", async () => {
  const folder = folderWith({});
  const logged: string[] = [];
  const note = (message: string): void => void logged.push(message);
  await using traced = await startCluster({
    modules: [join(folder, "tracing.ts"), join(folder, "shop.ts")],
    log: { debug: note, info: note, warn: note, error: note },
  });
  const job = traced.client.with({ rpcName: "shop" }).call("find", "hat");
  await job;
  let output = "";
  const printed = async (): Promise<string> => {
    output = "";
    for await (const { text } of job.output()) output += text;
    return output + logged.join("\n");
  };
  await expect.poll(printed).toContain("run shop.find");
  expect(output).toContain("wait shop.find");
});
