/** This package's folder as stacks show it: compiled, or mapped to its sources; as a URL or as a path. */
const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Whether a line of a stack is a frame of this package's own code. */
export function isOwnFrame(line: string): boolean {
  return line.includes(`${ROOT}dist/`) || line.includes(`${ROOT}src/`);
}
