import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/**
 * A folder of a user who has installed this package: a copy of it, because what only links to the project's own files
 * is treated by tools as source code of the user's.
 */
export class Installation {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "settings-")));

  constructor() {
    const modules = join(this.folder, "node_modules");
    const own = join(modules, "kitchensink");
    mkdirSync(own, { recursive: true });
    for (const part of ["package.json", "dist", "commonjs"])
      cpSync(join(ROOT, part), join(own, part), { recursive: true });
    for (const name of readdirSync(join(ROOT, "node_modules")))
      if (!name.startsWith(".")) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
