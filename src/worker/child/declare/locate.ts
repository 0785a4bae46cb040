import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { SourceFile } from "../source-file.ts";
import type { AnyFunction } from "../../functions.ts";
import type { TypedModule } from "./module-types.ts";
import { functionAround, type Syntax } from "./syntax.ts";

const MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,(.*)$/;

/** The function in the TypeScript that it was compiled from. */
export function functionIn(module: TypedModule, compiled: SourceFile, fn: AnyFunction): Syntax | undefined {
  const body = compiled.bodyOf(Function.prototype.toString.call(fn));
  const [, map = ""] = MAP.exec(compiled.text) ?? [];
  if (body === undefined || map === "") return undefined;
  const place = originalPositionFor(new TraceMap(Buffer.from(map, "base64").toString()), body);
  return place.line === null ? undefined : functionAround(offsetOf(place, module.text), module.statements);
}

function offsetOf(
  { line, column }: { readonly line: number; readonly column: number },
  text: string,
): number {
  let start = 0;
  for (let left = line - 1; left > 0; left -= 1) start = text.indexOf("\n", start) + 1;
  return start + column;
}
