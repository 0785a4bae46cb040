import { decodedMappings, TraceMap } from "@jridgewell/trace-mapping";

/**
 * Generated code with its lines put where they came from, so that stack traces of what was typed have the lines that were
 * typed. A line that cannot go back stands where it can.
 */
export function aligned(code: string, map: string): string {
  const origins = decodedMappings(new TraceMap(map)).map(([first]) => first?.[2]);
  let [text, line] = ["", 0];
  for (const [at, generated] of code.split("\n").entries()) {
    // What has no origin is the inside of a template, whose spaces count.
    const origin = origins[at];
    const wanted = origin ?? line + 1;
    const isJoined = origin !== undefined && wanted <= line && !endsInComment(text);
    const newlines = isJoined || at === 0 ? Math.max(0, wanted - line) : Math.max(1, wanted - line);
    text += newlines > 0 ? "\n".repeat(newlines) : at === 0 ? "" : " ";
    text += isJoined ? generated.trimStart() : generated;
    line += newlines;
  }
  return text;
}

/** Nothing can be joined to a line that ends in a comment, or may do so. */
function endsInComment(text: string): boolean {
  return text.slice(text.lastIndexOf("\n") + 1).includes("//");
}
