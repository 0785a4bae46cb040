import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What is written there is not part of the project, and may be removed at any time. */
export const CACHE = fileURLToPath(
  new URL("../../../node_modules/.cache/kitchensink-nodes", import.meta.url),
);

const PLATFORM = `${process.platform}-${process.arch}`;
const PACKAGE = PLATFORM === "darwin-arm64" ? `node-bin-${PLATFORM}` : `node-${PLATFORM}`;
const INSTALL_MS = 180_000;

/** The version of Node that runs the tests. */
export const OWN = Number(process.versions.node.split(".")[0]);

/** Between which versions of Node captured functions travel. */
export const MAJORS: readonly number[] = [...new Set([OWN, 22, 24])];

/** How long {@link nodeBinary} may take when a version is not here yet. */
export const NODE_MS = INSTALL_MS + 20_000;

/**
 * The path of a Node of one major version: the running one, or one from npm, which is installed once and kept.
 *
 * @throws Error that says how to get it, when it cannot be had
 */
export async function nodeBinary(major: number): Promise<string> {
  if (major === OWN) return process.execPath;
  const kept = join(CACHE, String(major));
  if (!existsSync(binaryIn(kept))) await install(major, kept);
  await check(major, binaryIn(kept));
  return binaryIn(kept);
}

const binaryIn = (directory: string): string => join(directory, "node_modules", PACKAGE, "bin", "node");

/** Installs beside the final place and moves it there when it works, so that whoever looks finds all or nothing. */
async function install(major: number, kept: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(join(CACHE, `${major}-`));
  const command = (directory: string): string[] =>
    `install --no-save --no-audit --no-fund --ignore-scripts ${PACKAGE}@${major} --prefix`
      .split(" ")
      .concat(directory);
  try {
    await run("npm", command(fresh), { timeout: INSTALL_MS });
    await check(major, binaryIn(fresh));
    renameSync(fresh, kept);
  } catch (error) {
    // Another test file may have been faster.
    if (existsSync(binaryIn(kept))) return;
    const wayOut = `run \`npm ${command(kept).join(" ")}\` where npm reaches its registry, or put a Node ${major} at ${binaryIn(kept)}`;
    throw new Error(`Node ${major} is not here, and npm could not install it: ${wayOut}`, { cause: error });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function check(major: number, binary: string): Promise<void> {
  const { stdout } = await run(binary, ["--version"]);
  if (!stdout.startsWith(`v${major}.`))
    throw new Error(
      `${binary} is Node ${stdout.trim()} instead of ${major}: remove it, then it is installed`,
    );
}
