import type { Command } from "commander";
import { printable } from "../../core/printable.ts";
import { suggest, type Suggestion } from "./suggest.ts";
import { breakIn, isSafe, parseLine, quoted } from "./words.ts";

interface Typed {
  readonly shell: string;
  /** Of bash the whole line up to the cursor, of zsh the words behind the program up to the one that is being typed. */
  readonly words: readonly string[];
}

/** `kitchensink complete`: what the scripts ask for. Nobody waits for connections to close. */
export async function complete(program: Command, typed: Typed): Promise<void> {
  const lines = typed.shell === "bash" ? await forBash(program, typed) : await forZsh(program, typed);
  process.stdout.write(lines.map((line) => `${line}\n`).join(""), () => process.exit(0));
}

async function forBash(program: Command, { words: [line = ""] }: Typed): Promise<string[]> {
  const { words, isInQuotes } = parseLine(line);
  const from = breakIn(words.at(-1) ?? "");
  const found = await suggest(program, words);
  return found
    .filter(({ value }) => !isInQuotes || isSafe(value))
    .map((one) => (one.value === FILES ? FILES : asLine({ ...one, value: quoted(one.value.slice(from)) })));
}

async function forZsh(program: Command, { words }: Typed): Promise<string[]> {
  const found = await suggest(program, words.length === 0 ? [""] : words);
  return found.map((one) => (one.value === FILES ? FILES : asLine(one)));
}

/** Stands for the files of this machine, which the shell knows. */
const FILES = ":files";

function asLine({ value, meaning = "" }: Suggestion): string {
  const [first = ""] = meaning.split("\n");
  return first === "" ? value : `${value}\t${printable(first)}`;
}
