/** Writes the parts of a page of docs/reference. */
import ts from "typescript";
import type { Comment } from "./comments.ts";
import { commentOf, membersOf, namesIn, type Entry, type Member } from "./declarations.ts";
import { SPOKEN } from "./pages.ts";
import { headOf, oneLine, signatureOf, sourceOf } from "./signatures.ts";

/** A type that is wider has no place in a table. */
const WIDEST_CELL = 90;
const MOST_COLUMNS = 120;

export class Writer {
  readonly #link: (name: string) => string | undefined;

  /** @param link where something of that name is told of; undefined: on no page */
  constructor(link: (name: string) => string | undefined) {
    this.#link = link;
  }

  entry(entry: Entry): string {
    const [declaration] = entry.declarations;
    const heading = headingOf(entry);
    const note = entry.from === undefined ? "It has no export of its own." : "";
    if (ts.isFunctionDeclaration(declaration)) {
      const signatures = entry.declarations.filter(ts.isFunctionDeclaration);
      return joined([`## ${heading}`, this.#callable(signatures, entry.name, entry.comment)]);
    }
    const isCode = ts.isTypeAliasDeclaration(declaration) || !isTabular(declaration);
    const head = isCode ? sourceOf(declaration, entry) : headOf(declaration, entry);
    return joined([
      `## ${heading}`,
      head === "" ? "" : fence(head),
      this.#prose(entry.comment.text),
      note,
      ...this.#examples(entry.comment),
      this.#types(isCode ? [declaration] : (declaration.heritageClauses ?? []), entry.name),
      ...(isCode ? [] : this.#members(declaration, entry.name)),
    ]);
  }

  #members(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration, name: string): string[] {
    const members = membersOf(declaration);
    const spoken = SPOKEN[name] ?? `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const rows = members.filter(isRow).map((member) => this.#row(member));
    const table =
      rows.length === 0 ? "" : `| property | type | what it is |\n|---|---|---|\n${rows.join("\n")}`;
    const sections = new Map<string, Member[]>();
    for (const member of members.filter((each) => !isRow(each))) {
      const called = calledAs(member, name, spoken);
      sections.set(called, [...(sections.get(called) ?? []), member]);
    }
    return [table, ...[...sections].map(([called, all]) => this.#section(called, all))];
  }

  #section(called: string, members: readonly Member[]): string {
    const comments = members.map(commentOf);
    const comment = comments.find(({ text, throws }) => text !== "" || throws.length > 0) ?? comments[0]!;
    return joined([`### ${called}`, this.#callable(members.map(signatureIn), called, comment)]);
  }

  /** How a function is called, then what is said of it. */
  #callable(signatures: readonly ts.SignatureDeclaration[], name: string, comment: Comment): string {
    const { text, params, returns, throws } = comment;
    return joined([
      fence(signatures.map((signature) => signatureOf(signature, name)).join("\n")),
      this.#prose(text),
      params.map(([param, said]) => this.#prose(`- \`${param}\`: ${ended(said)}`)).join("\n"),
      ...returns.map((said) => this.#prose(`**Returns** ${ended(said)}`)),
      ...throws.map((said) => this.#prose(`**Throws** ${ended(said)}`)),
      ...this.#examples(comment),
      this.#types(signatures, name),
    ]);
  }

  #row(member: Member): string {
    const { name, questionToken, type } = member as ts.PropertySignature;
    const { text, throws } = commentOf(member);
    const said = [text, ...throws.map((why) => `**Throws** ${why}`)].filter(Boolean).join(" ");
    const shown = `${name.getText().replaceAll('"', "")}${questionToken === undefined ? "" : "?"}`;
    return `| \`${shown}\` | ${cell(this.#type(type))} | ${cell(this.#prose(said))} |`;
  }

  /** A type in a line of text, in pieces: code cannot hold links. */
  #type(type: ts.Node | undefined): string {
    if (type === undefined) return "";
    const pieces: string[] = [];
    for (const piece of oneLine(type).split(/\b(?<!")([A-Z]\w+)\b(?!")/)) {
      const link = this.#link(piece);
      const last = pieces.at(-1);
      if (link !== undefined) pieces.push(link);
      else if (last === undefined || last.startsWith("[")) pieces.push(code(piece));
      else pieces[pieces.length - 1] = code(last.slice(1, -1) + piece);
    }
    return pieces.filter((piece) => piece !== "``").join("");
  }

  /** The types that signatures speak of. */
  #types(nodes: readonly ts.Node[], own: string): string {
    const links = [...new Set(nodes.flatMap(namesIn))].map((name) =>
      name === own ? undefined : this.#link(name),
    );
    const found = links.filter((link) => link !== undefined);
    return found.length === 0 ? "" : `Types: ${found.join(", ")}.`;
  }

  #examples({ examples }: Comment): string[] {
    return examples.map((text) => this.#prose(text));
  }

  /** Text in which links are made and lines are filled, but not in its code. */
  #prose(text: string): string {
    const parts = text.split(/^(```.*?^```)$/ms);
    return parts.map((part) => (part.startsWith("```") ? part : wrapped(this.#linked(part)))).join("");
  }

  #linked(text: string): string {
    return text
      .replaceAll(/\{@link (\w+)\}/g, (_, name: string) => this.#link(name) ?? code(name))
      .replaceAll(/(?<=^|[ (])KitchenError(?=[ ,.:)])/gm, (name) => this.#link(name) ?? name);
  }
}

/** Kinds are part of headings, so that a link to one needs not to know the order of a page. */
export function headingOf({ kind, name }: Entry): string {
  return `${kind} ${name}`;
}

function isTabular(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration): boolean {
  return membersOf(declaration)
    .filter(isRow)
    .every((member) => oneLine((member as ts.PropertySignature).type ?? member).length <= WIDEST_CELL);
}

/** What has no more to say than a line. */
function isRow(member: Member): boolean {
  if (ts.isGetAccessor(member)) return true;
  const isProperty = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
  return isProperty && commentOf(member).examples.length === 0;
}

function calledAs(member: Member, name: string, spoken: string): string {
  if (ts.isConstructorDeclaration(member)) return `new ${name}`;
  const own = member.name?.getText() ?? "";
  return own.startsWith("[") ? `${spoken}${own}` : `${spoken}.${own}`;
}

/** A method, or a property that is a function. */
function signatureIn(member: Member): ts.SignatureDeclaration {
  const found = ts.isPropertySignature(member) ? member.type : member;
  if (found !== undefined && ts.isFunctionLike(found)) return found;
  throw new Error(`${member.getText()} is no function`);
}

/** What is declared, for readers; the source is what compiles. */
function fence(text: string): string {
  return `\`\`\`ts declaration\n${text}\n\`\`\``;
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", String.raw`\|`);
}

function ended(text: string): string {
  return /[.…]$/.test(text) ? text : `${text}.`;
}

/** The same paragraphs, in lines that are not too long. */
function wrapped(text: string): string {
  return text
    .split("\n\n")
    .map((paragraph) => paragraph.split(/[ \n]/).reduce(appended, ""))
    .join("\n\n");
}

function appended(text: string, word: string): string {
  const column = text.length - text.lastIndexOf("\n");
  return text === "" ? word : `${text}${column + word.length > MOST_COLUMNS ? "\n" : " "}${word}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
