/** This package's folder, from `src/core` and from `dist/parts` alike. */
const ROOT = new URL("../../", import.meta.url);
/** As stacks show it: compiled, or mapped to its sources; as a URL or as a path. */
const SHOWN = decodeURIComponent(ROOT.pathname);

/** Where a file of this package is, by its path in it. */
export function packageUrl(path: string): URL {
  return new URL(path, ROOT);
}

/** Whether a url is that of a file with this package's own code. */
export function isOwnUrl(url: string): boolean {
  return url.startsWith(`${ROOT.href}dist/`) || url.startsWith(`${ROOT.href}src/`);
}

/** Whether a line of a stack is a frame of this package's own code. */
export function isOwnFrame(line: string): boolean {
  return line.includes(`${SHOWN}dist/`) || line.includes(`${SHOWN}src/`);
}

/** Enough to leave this package's own frames behind. */
const DEEP = 100;

/** Has an error that is about to be thrown show who called this package, instead of where in it the error was made. */
export function showCaller(error: Error): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = DEEP;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  const frames = stack
    .split("\n")
    .slice(1)
    .filter((line) => !isOwnFrame(line) && !line.includes("node:internal"));
  error.stack = [`${error.name}: ${error.message}`, ...frames.slice(0, stackTraceLimit)].join("\n");
}
