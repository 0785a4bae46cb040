/** docs/tutorial.md, followed to the letter in an empty directory, with the package as it is published. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../store/support/redis.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { blocksOf, ROOT } from "./support/markdown.ts";
import { run, type Ended } from "./support/workspace.ts";

/** Where the page's nodes listen. */
const PAGE_PORTS = ["6323", "6324", "6325"];
const UNTIL_READY_MS = 30_000;

/** The text that a page shows: … stands for anything, as sizes and versions may be others, and columns wider. */
function shown(text: string): RegExp {
  const parts = text.trimEnd().split("…");
  const pattern = parts.map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join("[^]*?");
  const sized = pattern.replaceAll(/\d+ GB/g, String.raw`[\d.]+ [GT]B`);
  return new RegExp(`^${sized.replaceAll(/ {2,}/g, " +")}\\s*$`);
}

/** A command in a terminal of its own, until it says that it is ready; Ctrl-C ends it with the test. */
async function openTerminal(command: string, at: { folder: string; env: NodeJS.ProcessEnv }): Promise<void> {
  const child = spawn("sh", ["-c", command], {
    cwd: at.folder,
    env: at.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => interrupt(child));
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const late = AbortSignal.timeout(UNTIL_READY_MS);
  for await (const text of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    stdout += String(text);
    if (stdout.includes("is ready")) break;
    late.throwIfAborted();
  }
  child.stdout.resume();
  expect(stdout, stderr).toContain("is ready");
}

/** As a terminal does: to all processes of the command. */
async function interrupt(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const closed = once(child, "close");
  process.kill(-child.pid, "SIGINT");
  await closed;
}

test("the tutorial works, followed to the letter in an empty directory", async () => {
  const [home, folder] = [temporaryDirectory(), join(temporaryDirectory(), "tutorial")];
  mkdirSync(folder);
  await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
    folder: ROOT,
    env: { HOME: home },
  });
  const ports = new Map(await Promise.all(PAGE_PORTS.map(async (port) => [port, await freePort()] as const)));
  const here = (text: string): string =>
    text
      .replaceAll(/\b632[345]\b/g, (port) => String(ports.get(port)))
      // The port that a node has when nobody says another.
      .replace("start --node-name one", `$& --node-url http://localhost:${ports.get("6323")}/`);
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    KITCHENSINK_URL: `http://localhost:${ports.get("6323")}/`,
    KITCHENSINK_REDIS: `tcp://localhost:${await freePort()}?db=9`,
    npm_config_cache: process.env["npm_config_cache"] ?? join(process.env["HOME"] ?? home, ".npm"),
    npm_config_registry: process.env["npm_config_registry"],
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
  };

  let last: Ended | undefined;
  for (const { language, tag, text, line } of blocksOf("docs/tutorial.md")) {
    const where = `docs/tutorial.md:${line}`;
    if (tag.startsWith("file=")) writeFileSync(join(folder, tag.slice("file=".length)), here(text));
    else if (tag === "terminal") await openTerminal(here(text), { folder, env });
    else if (language === "sh") {
      last = await run("sh", ["-c", here(text)], { folder, env });
      expect(last.code === 0, `${where}: ${last.stderr}`).toBe(tag === "step");
    } else expect(tag === "stderr" ? last?.stderr : last?.stdout, where).toMatch(shown(here(text)));
  }
}, 180_000);
