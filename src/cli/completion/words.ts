/** The words of a command line that is being typed, as bash has it, and values as it takes them. */

export interface Line {
  /** Without the program; the last one is the one that is being typed, which may be empty. */
  readonly words: readonly string[];
  /** A quotation mark of it is still open. */
  readonly isInQuotes: boolean;
}

const WORD = /(?:[^\s"'\\]|\\[^]?|"(?:[^"\\]|\\[^])*(?:"|$)|'[^']*(?:'|$))+/g;
const PART = /\\([^]?)|"((?:[^"\\]|\\[^])*)("|$)|'([^']*)('|$)/g;

export function parseLine(text: string): Line {
  const raw = text.match(WORD) ?? [];
  const last = raw.at(-1) ?? "";
  const hasBegun = raw.length > 0 && text.endsWith(last);
  const words = raw.slice(1).map(unquoted);
  if (!hasBegun || raw.length === 1) words.push("");
  return { words, isInQuotes: hasBegun && isOpen(last) };
}

function unquoted(word: string): string {
  return word.replace(
    PART,
    (_, escaped: string | undefined, double: string | undefined, _end, single: string | undefined) =>
      escaped ?? double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? "",
  );
}

function isOpen(word: string): boolean {
  return [...word.matchAll(PART)].some(
    ([, , double, doubleEnd, single, singleEnd]) =>
      (double !== undefined && doubleEnd === "") || (single !== undefined && singleEnd === ""),
  );
}

const UNSAFE = /[^\p{L}\p{N}_./:@%+,=-]/gu;

/** Whether a value needs no quoting. */
export function isSafe(value: string): boolean {
  return !new RegExp(UNSAFE).test(value);
}

/** As bash has to be given a value, so that nothing in it means anything to the shell. */
export function quoted(value: string): string {
  return value.replace(UNSAFE, "\\$&");
}

/** Where the word begins that bash itself completes: it ends words at these characters too. */
export function breakIn(word: string): number {
  return Math.max(word.lastIndexOf(":"), word.lastIndexOf("="), word.lastIndexOf("@")) + 1;
}
