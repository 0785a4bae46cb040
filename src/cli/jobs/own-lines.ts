/** The output of a job as it comes, so that what is printed behind it begins on a line of its own. */
import type { Sink } from "../../client/output/output.ts";

const NEWLINE = 10;
let isInLine = false;

const stdout: Sink = {
  write(bytes) {
    isInLine = bytes.length === 0 ? isInLine : bytes.at(-1) !== NEWLINE;
    return process.stdout.write(bytes);
  },
};

export const ownLines: { readonly stdout: Sink; readonly stderr: Sink } = { stdout, stderr: process.stderr };

/** What has to be printed first. */
export function lineEnd(): string {
  return isInLine ? "\n" : "";
}
