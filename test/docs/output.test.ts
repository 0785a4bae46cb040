/** The scripts of docs/output.md print what stands below them. */
import { expect, test } from "vitest";
import { startNodeProcess } from "../support/cli.ts";
import { blocksOf } from "./support/markdown.ts";
import { run, workspace } from "./support/workspace.ts";

const PAGE = blocksOf("docs/output.md");
const scripts = PAGE.filter(({ language }) => language === "ts");
/** Of lines of several jobs, or of two streams, nobody knows the order. */
const UNORDERED = new Set(["mixed", "afterwards"]);

test("each script has its output, and each output its script", () => {
  const outputs = PAGE.filter(({ language }) => language === "text");
  expect(outputs.map(({ tag }) => tag)).toEqual(scripts.map(({ tag }) => tag));
});

test.each(scripts)("$tag prints what the page shows", async ({ tag, text }) => {
  const [, flags = ""] = /^npx kitchensink start (.*)$/m.exec(PAGE[0]?.text ?? "") ?? [];
  const node = await startNodeProcess(["--embedded", "--node-name", "laptop-6323", ...flags.split(" ")]);
  const file = `${tag}.ts`;
  const folder = workspace({ [file]: text.replaceAll("http://localhost:6323/", node.url) });
  const command = `exec ${process.execPath} --import kitchensink/register ${file} 2>&1`;
  const { stdout } = await run("sh", ["-c", command], { folder, env: { KITCHENSINK_TOKEN: node.token } });
  const shown = PAGE.find((block) => block.language === "text" && block.tag === tag)?.text ?? "";
  const lines = (output: string): string[] => {
    const all = lasting(output, folder).split("\n");
    return UNORDERED.has(tag) ? all.toSorted() : all;
  };
  expect(lines(stdout)).toEqual(lines(shown));
});

/** Without what is another each time. */
function lasting(output: string, folder: string): string {
  return output
    .replaceAll(folder, "/home/ada")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
    .replaceAll(/^\[(\w+) [0-9a-f]{6}\]/gm, "[$1 ID]")
    .replaceAll(/after \d+ ms/g, "after N ms");
}
