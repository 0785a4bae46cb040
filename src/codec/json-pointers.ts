import { POINTER_CODEC_KEY, POINTER_KEY } from "./pointers.ts";

/** A text of JSON of up to as many characters as a data url has when each of its 1,000 bytes is escaped. */
const TEXT = String.raw`"(?:[^"\\]|\\.){0,6000}"`;
const CODEC = String.raw`"${POINTER_CODEC_KEY}"\s*:\s*${TEXT}`;
const MARKER = new RegExp(
  String.raw`\{\s*(?:${CODEC}\s*,\s*)?"${POINTER_KEY}"\s*:\s*(${TEXT})\s*(?:,\s*${CODEC}\s*)?\}`,
  "g",
);

/**
 * What the pointers in JSON point to, as often as they are there. Found in its text, without making values of what others
 * send: in JSON, a quote behind a brace begins a key, or else what follows is no JSON. Costs next to nothing where there
 * are none.
 */
export function* pointersInJson(json: Uint8Array): Generator<string> {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.length);
  if (!bytes.includes(POINTER_KEY)) return;
  for (const [, text = '""'] of bytes.toString("utf8").matchAll(MARKER)) {
    const target = parsed(text);
    if (target !== undefined) yield target;
  }
}

function parsed(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    // No text of JSON: whoever decodes the whole says so.
    return undefined;
  }
}
