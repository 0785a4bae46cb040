import { randomBytes } from "node:crypto";
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setModuleFiles } from "../../capture/revive.ts";
import type { ModuleFiles } from "../../capture/modules/module-files.ts";

/** From here on, this process loads modules that come as source. */
export function installSources(): void {
  setModuleFiles(evaluateFiles);
}

/** Modules that a node was started with stay there: a result that needs one of them is refused. */
export { keepModules } from "../../capture/modules/source-modules.ts";

// The same each time, because Node knows modules by their paths; nobody else can know it beforehand.
const root = join(realpathSync(tmpdir()), `kitchensink-${randomBytes(12).toString("hex")}`);
const packagesIn = join(root, "node_modules");
// Where packages are, Node does not warn that modules of both kinds require each other.
const directory = join(packagesIn, "@source");
let depth = 0;

/**
 * Node loads modules from files on every version; they exist only while it does, so that a process that is killed
 * leaves none behind.
 */
function evaluateFiles({ files, packages, entry }: ModuleFiles): unknown {
  // Fails when the directory is there already: then somebody else made it.
  if (depth === 0) mkdirSync(root, { mode: 0o700 });
  depth++;
  try {
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(directory, name), text);
    for (const [name, home] of packages) link(home, join(packagesIn, name));
    return createRequire(join(directory, "index.cjs"))(entry) as unknown;
  } finally {
    if (--depth === 0) rmSync(root, { recursive: true, force: true });
  }
}

function link(home: string, at: string): void {
  mkdirSync(dirname(at), { recursive: true });
  rmSync(at, { force: true });
  symlinkSync(home, at, "junction");
}
