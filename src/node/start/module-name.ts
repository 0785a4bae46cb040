import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { KitchenError } from "../../core/errors.ts";

/**
 * A module of registered functions, as people name it: paths become absolute; anything else is a package's name.
 * @throws KitchenError `KS_USAGE` for a file that is not there
 */
export function moduleName(text: string): string {
  const isPath = isAbsolute(text) || text.startsWith(".") || /\.[cm]?[jt]sx?$/.test(text);
  if (!isPath) return text;
  const file = resolve(text);
  if (existsSync(file)) return file;
  throw new KitchenError(
    "KS_USAGE",
    `Cannot load the module ${text}: there is no file ${file} (give its path from ${process.cwd()}, or a package's name)`,
  );
}
