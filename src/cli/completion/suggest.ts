import type { Argument, Command, Option } from "commander";
import { sourceOf } from "./sources.ts";

export interface Suggestion {
  /** `:files` stands for the files of this machine. */
  readonly value: string;
  readonly meaning?: string;
}

/** Where on the line one is. */
interface Position {
  readonly command: Command;
  /** Of the arguments before. */
  readonly given: readonly string[];
  /** Whose value comes next. */
  readonly option: Option | undefined;
  /** The node that is asked. */
  readonly url: string | undefined;
}

/** What may stand in the place of the last word, which is being typed: what begins with it. */
export async function suggest(program: Command, words: readonly string[]): Promise<Suggestion[]> {
  const typed = words.at(-1) ?? "";
  const position = positionAfter(program, words.slice(0, -1));
  const found = await candidates(position, typed);
  return found.filter(({ value }) => value.startsWith(typed) || value === ":files");
}

function positionAfter(program: Command, words: readonly string[]): Position {
  let [command, option, url]: [Command, Option | undefined, string | undefined] = [
    program,
    undefined,
    undefined,
  ];
  let given: string[] = [];
  for (const word of words) {
    if (option !== undefined) {
      if (option.long === "--url") url = word;
      option = undefined;
    } else if (word.startsWith("-")) option = optionNamed(command, word);
    else {
      const inner = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (inner === undefined) given.push(word);
      else [command, given] = [inner, []];
    }
  }
  return { command, given, option, url };
}

/** Undefined also for one that takes no value, or has it behind `=`. */
function optionNamed(command: Command, word: string): Option | undefined {
  return command.options.find(
    (one) => (one.long === word || one.short === word) && (one.required || one.optional),
  );
}

async function candidates(
  { command, given, option, url }: Position,
  typed: string,
): Promise<readonly Suggestion[]> {
  if (option !== undefined) return await valuesOf(option, { typed, url, command });
  const help = command.createHelp();
  if (typed.startsWith("-"))
    return help.visibleOptions(command).map(({ long, short, description }) => ({
      value: long ?? short ?? "",
      meaning: description,
    }));
  if (command.commands.length > 0)
    return help.visibleCommands(command).map((one) => ({ value: one.name(), meaning: one.description() }));
  const { registeredArguments: known } = command;
  const argument = known[given.length] ?? (known.at(-1)?.variadic === true ? known.at(-1) : undefined);
  const found = argument === undefined ? [] : await valuesOf(argument, { typed, url, command });
  return found.filter(({ value }) => !given.includes(value));
}

interface Place {
  readonly typed: string;
  readonly url: string | undefined;
  readonly command: Command;
}

async function valuesOf(
  what: Option | Argument,
  { typed, url, command }: Place,
): Promise<readonly Suggestion[]> {
  if (what.argChoices !== undefined) return what.argChoices.map((value) => ({ value }));
  const name = "long" in what ? (what.long ?? "") : `${command.name()} ${what.name()}`;
  return await sourceOf(name)({ typed, url });
}
