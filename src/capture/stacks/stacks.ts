import type * as TraceMapping from "@jridgewell/trace-mapping";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { analyse } from "../source/analyse.ts";
import { placeOf } from "../source/places.ts";
import { scriptSource } from "../scopes/inspect.ts";
import { surroundingsOf, urlOf } from "../scopes/scopes.ts";
import { shippedScript, shippedUnit } from "./shipped.ts";
import { codeText, offsetOf, sourcesOf } from "../source/text.ts";
import { PSEUDO_FILE } from "../wire/units.ts";

/** One-based, as stacks show it. */
interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const FRAME = /((?:file:\/\/|kitchensink:fn\/|\/|[A-Za-z]:\\)[^\n()]*?):(\d+):(\d+)(?=\)?$)/gm;

/**
 * Rewrites the frames of functions that this process sent to the file, line and column where they were written, through
 * the source maps of compiled files. Other frames stay as they are. Never throws.
 *
 * @example
 * ```ts
 * error.stack = mapStack(error.stack);
 * ```
 */
export function mapStack(stack: string): string {
  return mapFrames(stack, locate);
}

/**
 * Rewrites frames of this process that no tool has rewritten, through the source maps of the files on the disk. Never
 * throws.
 */
export function mapLocalFrames(frames: string): string {
  return mapFrames(frames, (position) => throughMap(position, mapOfFile(position.file)));
}

function mapFrames(stack: string, find: (position: Position) => Position | undefined): string {
  return stack.replace(FRAME, (frame, file: string, line: string, column: string) => {
    try {
      const place = find({ file, line: Number(line), column: Number(column) });
      return place === undefined ? frame : `${place.file}:${place.line}:${place.column}`;
    } catch {
      return frame;
    }
  });
}

function locate(position: Position): Position | undefined {
  if (position.file.startsWith(PSEUDO_FILE)) {
    const written = whereWritten(position);
    return written === undefined ? undefined : (throughMap(written, mapOfScript(written)) ?? written);
  }
  const scriptId = shippedScript(position.file);
  return scriptId === undefined
    ? undefined
    : throughMap(position, mapOfScript({ file: position.file, scriptId }));
}

/** A place in a script that V8 compiled. */
interface Written extends Position {
  readonly scriptId: string;
}

/** From a place in the program that a unit became to the place in the file that its function came from. */
function whereWritten({ file, line, column }: Position): Written | undefined {
  const unit = shippedUnit(file.slice(PSEUDO_FILE.length));
  if (unit === undefined) return undefined;
  const { shape } = unit.record;
  const isSingle = unit.functions.length === 1 && shape.names.length === 0;
  const { text, starts, lead } = codeText(shape, isSingle);
  // Without a known place the whole program was moved left by what stands before its only function, but not in a module.
  const isMoved = isSingle && line === 1 && unit.record.module === undefined;
  const offset = offsetOf(text, line, column + (isMoved ? lead : 0));
  const index = starts.findLastIndex((start) => start <= offset);
  const start = starts[index];
  const fn = unit.functions[index]?.deref();
  const source = sourcesOf(shape)[index];
  if (start === undefined || fn === undefined || source === undefined) return undefined;
  const around = surroundingsOf(fn);
  const place = placeOf(around, urlOf(around), source, analyse(source));
  const before = text.slice(start, offset).split("\n");
  const last = before.at(-1)?.length ?? 0;
  const shift = before.length === 1 ? place.column : 0;
  const { scriptId } = around;
  return { scriptId, file: place.url, line: place.line + before.length, column: last + shift + 1 };
}

const maps = new Map<string, TraceMapping.TraceMap | undefined>();
const MAPS_KEPT = 500;

function throughMap(
  { file, line, column }: Position,
  map: TraceMapping.TraceMap | undefined,
): Position | undefined {
  if (map === undefined) return undefined;
  const found = traceMapping().originalPositionFor(map, { line, column: column - 1 });
  return found.source === null
    ? undefined
    : { file: absolute(found.source, file), line: found.line, column: found.column + 1 };
}

/** As a url when the compiled file was one. */
function absolute(source: string, file: string): string {
  if (/^[a-z]+:\/\//.test(source)) return source;
  if (file.startsWith("file:")) return new URL(source, file).href;
  return resolve(dirname(file), source);
}

/** From the text that V8 compiled: that on the disk may be the one that a tool began with. */
function mapOfScript({
  scriptId,
  file,
}: Pick<Written, "scriptId" | "file">): TraceMapping.TraceMap | undefined {
  return mapOf(`script ${scriptId}`, file, () => scriptSource(scriptId));
}

function mapOfFile(file: string): TraceMapping.TraceMap | undefined {
  return mapOf(file, file, () => readFileSync(pathOf(file), "utf8"));
}

function mapOf(key: string, file: string, read: () => string): TraceMapping.TraceMap | undefined {
  if (maps.has(key)) return maps.get(key);
  const map = readMap(read(), file);
  if (maps.size >= MAPS_KEPT) maps.clear();
  maps.set(key, map);
  return map;
}

const COMMENT = /\/\/[#@] sourceMappingURL=(\S+)\s*$/gm;

function readMap(compiled: string, file: string): TraceMapping.TraceMap | undefined {
  const address = [...compiled.matchAll(COMMENT)].at(-1)?.[1];
  if (address === undefined) return undefined;
  const inline = /^data:[^,]*;base64,(.*)$/.exec(address)?.[1];
  const text =
    inline === undefined
      ? readFileSync(resolve(dirname(pathOf(file)), decodeURIComponent(address)), "utf8")
      : Buffer.from(inline, "base64").toString();
  return new (traceMapping().TraceMap)(text, file);
}

let library: typeof TraceMapping | undefined;

/** Most processes never see the stack of a compiled file. */
function traceMapping(): typeof TraceMapping {
  return (library ??= createRequire(import.meta.url)("@jridgewell/trace-mapping") as typeof TraceMapping);
}

function pathOf(file: string): string {
  return file.startsWith("file:") ? fileURLToPath(file) : file;
}
