import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { revivedLine, type ShownPlace } from "../../capture/stacks/revived-line.ts";
import { isOwnFrame } from "../../core/own-code.ts";

const FRAME = /^\s+at (?:.*\()?((?:file:\/\/|kitchensink:fn\/|\/|[A-Za-z]:\\)[^()]*):(\d+):(\d+)\)?$/;
const SOURCE_FILE = /\.[cm]?[jt]sx?$/;
const MOST_CHARACTERS = 300;
const MOST_FILE_BYTES = 2_000_000;
const MOST_KEPT = 500;
/** The same lines throw again and again. */
const kept = new Map<string, string | null>();

/**
 * The text of the line that threw, as far as it is known here: of a captured function, or of a file of registered ones.
 * Frames of packages are passed over. Never throws.
 * @param message what the error says: text of others, in which no frame is looked for
 */
export function thrownLine(stack: string, message: string): string | null {
  const place = firstPlace(stack, message);
  if (place === undefined) return null;
  const key = `${place.file}:${place.line}:${place.column}`;
  let line = kept.get(key);
  if (line === undefined) {
    line = read(place);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(key, line);
  }
  return line;
}

function firstPlace(stack: string, message: string): ShownPlace | undefined {
  const at = stack.indexOf(message);
  if (at < 0) return undefined;
  for (const frame of stack.slice(at + message.length).split("\n")) {
    const [, file, line, column] = FRAME.exec(frame) ?? [];
    if (file === undefined || file.includes("/node_modules/") || isOwnFrame(frame)) continue;
    return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

function read(place: ShownPlace): string | null {
  try {
    const line = (revivedLine(place) ?? lineOfFile(place) ?? "").trim();
    return line === "" ? null : line.slice(0, MOST_CHARACTERS);
  } catch {
    return null;
  }
}

/** Of source files alone: what an error names may be any file. */
function lineOfFile({ file, line }: ShownPlace): string | undefined {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  if (!SOURCE_FILE.test(path) || statSync(path).size > MOST_FILE_BYTES) return undefined;
  return readFileSync(path, "utf8").split("\n")[line - 1];
}
