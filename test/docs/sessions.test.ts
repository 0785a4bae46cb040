/** What pages show of a terminal, beside those that are run from top to bottom, is what one shows. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { startNodeProcess } from "../support/cli.ts";
import { blocksOf, ROOT } from "./support/markdown.ts";
import { run, runScript, workspace } from "./support/workspace.ts";

test("the session of docs/cli.md in the REPL", async () => {
  const session =
    blocksOf("docs/cli.md").find(({ text }) => text.startsWith("$ kitchensink repl"))?.text ?? "";
  const typed = [...session.matchAll(/^> (.*\n)/gm)].map(([, line = ""]) => line);
  // From a pipe, nobody's typing is seen.
  const shown = session.replace(/^\$ .*\n/, "").replaceAll(/^> .*\n/gm, "> ");
  const node = await startNodeProcess();
  const folder = workspace({ lines: typed.join("") });
  const command = `${process.execPath} ${join(ROOT, "dist/cli/main.js")} repl --url ${node.url} < lines`;
  const { stdout } = await run("sh", ["-c", command], { folder, env: { KITCHENSINK_TOKEN: node.token } });
  const lasting = (text: string): string => text.replace(/^(Kitchen Sink \S+) at .*$/m, "$1").trimEnd();
  expect(lasting(stdout.replace(/> $/, ""))).toBe(lasting(shown));
});

test("the refusal of docs/closures.md", async () => {
  const refusal = blocksOf("docs/closures.md").find(({ text }) => text.startsWith("Cannot capture"));
  const script = `
    import { capture } from "kitchensink/capture";
    const deep = { a: { b: [Promise.resolve()] } };
    try { capture(() => deep); } catch (error) { console.log((error as Error).message); }
  `;
  const { stdout } = await runScript("main.ts", [], { folder: workspace({ "main.ts": script }) });
  expect(stdout).toBe(refusal?.text);
});

test("the beginning of a node in the README", async () => {
  const banner = blocksOf("README.md").find(({ text }) => text.startsWith("Kitchen Sink"))?.text ?? "";
  const node = await startNodeProcess(["--embedded", "--node-name", "laptop-6323", "--num-workers", "2"]);
  const labels = (text: string): string[] =>
    [...text.matchAll(/^(?: {2}\w+(?= {2})|\S.*ready)/gm)].map(([label]) => label);
  expect(labels(banner).length).toBe(7);
  expect(labels(node.stdout)).toEqual(labels(banner));
});
