/** Reads TSDoc comments. */

export interface Comment {
  readonly text: string;
  readonly isInternal: boolean;
  /** By the parameter's name. */
  readonly params: readonly (readonly [name: string, text: string])[];
  readonly returns: readonly string[];
  readonly throws: readonly string[];
  /** Code in fences, and what is said between them. */
  readonly examples: readonly string[];
}

const TAG = /(?:^|(?<=\s))@(param|returns|throws|example|internal)\b\s*/;

/** @param raw with its slashes and stars */
export function parseComment(raw: string): Comment {
  const sections = sectionsOf(bare(raw));
  const [text = ""] = sections.flatMap(({ tag, text: said }) => (tag === "" ? [said] : []));
  const tagged = (wanted: string): string[] =>
    sections.flatMap(({ tag, text: said }) => (tag === wanted ? [said] : []));
  return {
    text,
    isInternal: sections.some(({ tag }) => tag === "internal"),
    params: tagged("param").map((said) => {
      const [, name = "", rest = ""] = /^(\S+)\s+(.*)$/s.exec(said) ?? [];
      return [name, rest];
    }),
    returns: tagged("returns"),
    throws: tagged("throws"),
    examples: tagged("example"),
  };
}

function bare(raw: string): string {
  return raw
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

interface Section {
  /** `""` before the first tag. */
  readonly tag: string;
  readonly text: string;
}

/** Tags may stand within a line, but not in code. */
function sectionsOf(text: string): Section[] {
  const sections: { tag: string; text: string }[] = [{ tag: "", text: "" }];
  let isCode = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) isCode = !isCode;
    const [before = "", ...tagged] = isCode ? [line] : line.split(TAG);
    sections.at(-1)!.text += `\n${before.trimEnd()}`;
    for (let at = 0; at < tagged.length; at += 2)
      sections.push({ tag: tagged[at] ?? "", text: tagged[at + 1] ?? "" });
  }
  return sections.map(({ tag, text: said }) => ({ tag, text: indented(said).trim() }));
}

/** Lines that go on a tag's text are indented, by which Markdown would take them for something else. */
function indented(text: string): string {
  return text.replace(/\n +(?=\S)/g, (indent, at: number) => (isInCode(text, at) ? indent : "\n"));
}

function isInCode(text: string, at: number): boolean {
  return (text.slice(0, at).match(/^```/gm) ?? []).length % 2 === 1;
}
