import { inspect, isDeepStrictEqual } from "node:util";
import { jsonCodec } from "../../codec/json.ts";
import { KitchenError } from "../../core/errors.ts";

/** For people: JSON where it says all of the value, else as Node shows it; of `undefined` nothing. */
export function shown(value: unknown): string {
  if (value === undefined) return "";
  const { stdout } = process;
  return `${asJson(value) ?? inspect(value, { colors: stdout.isTTY && stdout.hasColors(), depth: 8 })}\n`;
}

/** Wider ones are shown on several lines. */
const LINE_WIDTH = 80;

/** Undefined: it would come back as something else. */
function asJson(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    if (!isDeepStrictEqual(JSON.parse(text), value)) return undefined;
    return text.length > LINE_WIDTH ? JSON.stringify(value, undefined, 2) : text;
  } catch {
    return undefined;
  }
}

/** For programs: the value under `key`, or, where JSON would lose some of it, how Node shows it under `inspected`. */
export function facts(value: unknown, key = "result"): object {
  try {
    const text = Buffer.from(jsonCodec.encode(value)).toString();
    return { [key]: text === "" ? null : (JSON.parse(text) as unknown) };
  } catch (error) {
    if (!(error instanceof KitchenError)) throw error;
    return { inspected: inspect(value, { depth: 8 }) };
  }
}
