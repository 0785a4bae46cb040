const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

export interface JsonLimits {
  readonly maxDepth: number;
  /** A value of two bytes takes up to fifty as an object. */
  readonly maxValues: number;
}

/**
 * Tells whether bytes stay within limits as JSON, before anything is made of them: parsing goes slower the deeper they are
 * nested. Whether they are JSON is for the parser to say.
 */
export function isJsonWithin({ maxDepth, maxValues }: JsonLimits, bytes: Uint8Array): boolean {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      depth += 1;
      values += 1;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth -= 1;
    else if (byte === COMMA) values += 1;
    if (depth > maxDepth || values > maxValues) return false;
  }
  return true;
}

function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
