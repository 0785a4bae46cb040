/** What a line of the shell calls, as far as the pages need it. */

/** The commands of a block, word by word, each program with its arguments. */
export function commandsIn(text: string): string[][] {
  return text
    .replaceAll("\\\n", " ")
    .replaceAll(/(^|\s)#.*$/gm, "$1")
    .split(/\n|&&|\||;|\$\(|\)/)
    .map((command) => wordsOf(command.replace(/^\s*(?:eval|npx)?\s*"?/, "")))
    .map((words) => words.slice(words.findIndex((word) => !/^\w+=/.test(word))))
    .filter((words) => words.length > 0);
}

function wordsOf(command: string): string[] {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.filter((word) => word !== "npx").map((word) => word.replaceAll(/['"]/g, ""));
}

/** The flags among the words, without their values. */
export function flagsIn(words: readonly string[]): string[] {
  return words.flatMap((word) => /^(--?[a-z][\w-]*)(?:=|$)/i.exec(word)?.[1] ?? []);
}
