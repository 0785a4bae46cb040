const LAST_LINES = 20;
const MOST_FATAL_LINES = 4;
/** A line is long at times; what is kept of a death is not. */
const MOST_LINE_CHARACTERS = 500;

/** The last lines that a job printed before its worker gave up, and behind them what V8 or C++ called fatal. */
export function lastLines(lastOutput: string): string {
  const fatal: string[] = [];
  // Taken out before lines are counted. V8 begins where the job's last line ends, with a newline or without.
  const own = lastOutput
    .replace(STATE, newlineFor)
    .replace(FATAL, (said: string, at: number, whole: string) => {
      fatal.push(...said.split("\n").filter((line) => /[^#\s]/.test(line)));
      return newlineFor(said, at, whole);
    });
  return shorten([...lastOf(own), ...fatal.slice(0, MOST_FATAL_LINES)]);
}

/** The last lines that a job printed, when nobody else can have written there. */
export function lastOwnLines(lastOutput: string): string {
  return shorten(lastOf(lastOutput));
}

/** Collections of garbage (of which V8 prints the last bytes, from the middle of a word at times), frames of native code and of JavaScript, each below its heading. */
const STATE = new RegExp(
  [
    String.raw`\n?<--- [^\n]* --->(?:\n(?:[a-z]*\[\d+:0x[0-9a-f]+\] +\d+ ms: [^\n]*)?)*`,
    String.raw`-----+ Native stack trace -----+(?:\n(?: *\d+: 0x[0-9a-f]+(?: [^\n]*)?)?)*`,
    String.raw`-----+ JavaScript stack trace -----+(?:\n(?: *\d+: [^\n]*)?)*`,
  ].join("|"),
  "gi",
);
const FATAL =
  /^FATAL ERROR: .*\n?|\n*^#\n# Fatal .*\n?(?:#.*\n?)*|terminate called .*\n?(?: +what\(\): .*\n?)?/gm;

function newlineFor(_taken: string, at: number, whole: string): string {
  return at === 0 || whole[at - 1] === "\n" ? "" : "\n";
}

function lastOf(text: string): string[] {
  const trimmed = text.trim() === "" ? "" : text.trimEnd();
  return trimmed === "" ? [] : trimmed.split("\n").slice(-LAST_LINES);
}

function shorten(lines: readonly string[]): string {
  const text = lines.map((line) => line.slice(0, MOST_LINE_CHARACTERS)).join("\n");
  return text.replace(/^\n+/, "");
}
