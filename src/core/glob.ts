/**
 * Patterns over data urls: `*`, `?` and `[a-z]` within a part, `**` across parts.
 *
 * Matching never goes back further than to the last star, so its time grows with the text times the pattern, whatever a
 * caller writes: the node matches patterns of strangers.
 */
import { KitchenError } from "./errors.ts";

const MAX_BYTES = 1_000;

/** One character of a text, or what stands for one. `star`: any number of characters. */
type Token =
  | { readonly type: "character"; readonly text: string }
  | { readonly type: "any" }
  | { readonly type: "star" }
  | { readonly type: "class"; readonly isNegated: boolean; readonly ranges: readonly [string, string][] };

/** A part between slashes. `globstar`: any number of parts. */
type Part = readonly Token[] | "globstar";

/** A pattern that was read. Made by {@link parseGlob}. */
export class Glob {
  readonly pattern: string;
  /** What every text that matches begins with: where a scan over sorted urls may begin, and where it ends. */
  readonly literalPrefix: string;
  /** Whether only one text matches, which is `literalPrefix`. */
  readonly isLiteral: boolean;
  readonly #parts: readonly Part[];

  constructor(pattern: string) {
    this.pattern = pattern;
    this.#parts = splitParts(pattern).map((part) => (part === "**" ? "globstar" : readTokens(part, pattern)));
    [this.literalPrefix, this.isLiteral] = literalPrefix(this.#parts);
  }

  /**
   * Tells whether the whole text matches.
   *
   * @example
   * ```ts
   * parseGlob("data/**" + "/*.csv").matches("data/2024/may/rows.csv"); // true
   * ```
   */
  matches(text: string): boolean {
    return this.match(text).isMatch;
  }

  /** Matches, and counts the comparisons that it took. */
  match(text: string): { readonly isMatch: boolean; readonly steps: number } {
    if (!text.startsWith(this.literalPrefix)) return { isMatch: false, steps: 1 };
    const counter = { steps: 0 };
    const parts = text.split("/").map((part) => Array.from(part));
    return { isMatch: matchParts(this.#parts, parts, counter), steps: counter.steps };
  }
}

/** Reads a pattern. @throws KitchenError `KS_BAD_REQUEST` */
export function parseGlob(pattern: unknown): Glob {
  if (typeof pattern !== "string") throw malformed(typeof pattern, "it is no text");
  if (pattern === "") throw malformed('""', "it is empty");
  // A character is four bytes at most; no need to look at what is longer still.
  if (pattern.length > MAX_BYTES || new TextEncoder().encode(pattern).length > MAX_BYTES)
    throw malformed(JSON.stringify(pattern.slice(0, 100)), `it is longer than ${MAX_BYTES} bytes`);
  return new Glob(pattern);
}

/** Stars in a row mean the same as one, and a last one wants a part: what lies in a folder, not the folder. */
function splitParts(pattern: string): string[] {
  const parts = pattern.split("/").filter((part, at, all) => part !== "**" || all[at - 1] !== "**");
  return parts.at(-1) === "**" ? [...parts, "*"] : parts;
}

function matchParts(parts: readonly Part[], texts: readonly string[][], counter: { steps: number }): boolean {
  return matchWithStar(parts, texts, {
    isStar: (part) => part === "globstar",
    fits: (part, text) => part !== "globstar" && matchTokens(part, text, counter),
  });
}

function matchTokens(tokens: readonly Token[], text: readonly string[], counter: { steps: number }): boolean {
  return matchWithStar(tokens, text, {
    isStar: (token) => token.type === "star",
    fits: (token, character) => {
      counter.steps += 1;
      return fitsOne(token, character);
    },
  });
}

interface Comparison<P, T> {
  readonly isStar: (part: P) => boolean;
  readonly fits: (part: P, item: T) => boolean;
}

/** What the last star took is enough to try again with: whatever an earlier one took is only earlier. */
function matchWithStar<P, T>(pattern: readonly P[], items: readonly T[], how: Comparison<P, T>): boolean {
  let at = 0;
  let item = 0;
  let afterStar = -1;
  let takenUpTo = 0;
  while (item < items.length) {
    const part = pattern[at];
    if (part !== undefined && how.isStar(part)) {
      at += 1;
      afterStar = at;
      takenUpTo = item;
    } else if (part !== undefined && how.fits(part, items[item] as T)) {
      at += 1;
      item += 1;
    } else if (afterStar >= 0) {
      at = afterStar;
      takenUpTo += 1;
      item = takenUpTo;
    } else return false;
  }
  while (at < pattern.length && how.isStar(pattern[at] as P)) at += 1;
  return at === pattern.length;
}

function fitsOne(token: Token, character: string): boolean {
  switch (token.type) {
    case "character":
      return token.text === character;
    case "any":
      return true;
    case "class":
      return token.ranges.some(([from, to]) => isBetween(character, from, to)) !== token.isNegated;
    case "star":
      return false;
  }
}

function isBetween(character: string, from: string, to: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= (from.codePointAt(0) ?? 0) && code <= (to.codePointAt(0) ?? 0);
}

function readTokens(part: string, pattern: string): Token[] {
  const characters = Array.from(part);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] as string;
    if (character === "*") {
      if (tokens.at(-1)?.type !== "star") tokens.push({ type: "star" });
    } else if (character === "?") tokens.push({ type: "any" });
    else if (character === "\\") {
      at += 1;
      const text = characters[at];
      if (text === undefined) throw malformed(JSON.stringify(pattern), "a part ends with a backslash");
      tokens.push({ type: "character", text });
    } else if (character === "[") {
      const { token, end } = readClass(characters, at, pattern);
      tokens.push(token);
      at = end;
    } else tokens.push({ type: "character", text: character });
  }
  return tokens;
}

function readClass(
  characters: readonly string[],
  start: number,
  pattern: string,
): { token: Token; end: number } {
  let at = start + 1;
  const isNegated = characters[at] === "!" || characters[at] === "^";
  if (isNegated) at += 1;
  const ranges: [string, string][] = [];
  const next = (): string => {
    if (characters[at] === "\\") at += 1;
    const character = characters[at];
    if (character === undefined) throw malformed(JSON.stringify(pattern), "a [ is not closed in its part");
    at += 1;
    return character;
  };
  // A ] that comes first is one of the characters.
  while (characters[at] !== "]" || ranges.length === 0) {
    const from = next();
    const isRange = characters[at] === "-" && characters[at + 1] !== "]";
    if (isRange) at += 1;
    ranges.push([from, isRange ? next() : from]);
  }
  return { token: { type: "class", isNegated, ranges }, end: at };
}

function literalPrefix(parts: readonly Part[]): [prefix: string, isLiteral: boolean] {
  let prefix = "";
  for (const [index, part] of parts.entries()) {
    if (index > 0) prefix += "/";
    if (part === "globstar") return [prefix, false];
    for (const token of part) {
      if (token.type !== "character") return [prefix, false];
      prefix += token.text;
    }
  }
  return [prefix, true];
}

function malformed(shown: string, why: string): KitchenError {
  return new KitchenError(
    "KS_BAD_REQUEST",
    `Not a pattern: ${shown}: ${why} (expected a path such as data/**/*.csv; \\ before a character takes it as it is)`,
  );
}
