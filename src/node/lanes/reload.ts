import { messageOf } from "../../core/errors.ts";
import { dirname, isAbsolute, sep } from "node:path";
import { watch } from "chokidar";
import type { Log } from "../options.ts";

const SETTLE_MS = 100;
const SOURCE = /\.([cm]?[jt]s|tsx|json)$/;

/**
 * Watches the folders of the module files, and all that is below them but dependencies, and renews the workers when a
 * source changes. Gives a way to stop.
 */
export function watchModules(
  modules: readonly string[],
  { renew, log }: { renew: () => Promise<void>; log: Log },
): () => Promise<void> {
  const folders = [...new Set(modules.filter(isAbsolute).map(dirname))];
  const watcher = watch(folders, {
    ignoreInitial: true,
    ignored: (path, stats) => isIgnored(path) || (stats?.isFile() === true && !SOURCE.test(path)),
  });
  let timer: NodeJS.Timeout | undefined;
  let renewing: Promise<void> = Promise.resolve();
  watcher.on("all", () => {
    clearTimeout(timer);
    // Editors write a file in several steps.
    timer = setTimeout(() => {
      renewing = renewing.then(renew).then(
        () => log.info("modules changed: the workers were replaced"),
        (error: unknown) =>
          log.error(`modules changed, but the workers stay as they are: ${messageOf(error)}`),
      );
    }, SETTLE_MS);
  });
  return async () => {
    clearTimeout(timer);
    await watcher.close();
    await renewing;
  };
}

function isIgnored(path: string): boolean {
  return path.split(sep).some((part) => part === "node_modules" || part === ".git");
}
