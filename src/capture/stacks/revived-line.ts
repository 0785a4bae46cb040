import { type CompiledUnit, compiledUnits } from "../revive/compile.ts";
import { codeText, offsetOf, sourcesOf } from "../source/text.ts";

/** A place in a file as stacks show it, from 1 on. */
export interface ShownPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The line of a captured function that runs here, as it was written; `undefined` when the place is in none. */
export function revivedLine(place: ShownPlace): string | undefined {
  for (const unit of compiledUnits()) {
    const found = unit.shown.url === place.file ? lineIn(unit, place) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function lineIn({ shape, single, module, shown }: CompiledUnit, place: ShownPlace): string | undefined {
  const { text, starts, lead } = codeText(shape, single !== undefined);
  const line = place.line - shown.line;
  // Others of the same file have been revived, perhaps.
  if (line < 1 || line > text.split("\n").length) return undefined;
  // What stands before the function on its first line has not moved it.
  const moved = line === 1 && module === undefined ? lead - shown.column : 0;
  const offset = offsetOf(text, line, place.column + moved);
  const index = starts.findLastIndex((start) => start <= offset);
  const [start = 0, source = ""] = [starts[index], sourcesOf(shape)[index]];
  if (offset >= start + source.length) return undefined;
  return source.split("\n")[text.slice(start, offset).split("\n").length - 1];
}
