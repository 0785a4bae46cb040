import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse, type Comment, type Node, type Position } from "acorn";
import { surroundingsOf, urlOf } from "../../capture/scopes/scopes.ts";
import { writtenFunction, type AnyFunction } from "../functions.ts";
import { compileTypeScript, isTypeScript } from "../typescript/transform.ts";

/** The files that registered functions were written in, each read once. */
export class SourceFiles {
  readonly #files = new Map<string, SourceFile | undefined>();

  /** The url of a function's file; empty when it has none. */
  urlOf(fn: AnyFunction): string {
    return urlOf(surroundingsOf(writtenFunction(fn)));
  }

  fileOf(fn: AnyFunction): SourceFile | undefined {
    const url = this.urlOf(fn);
    if (!this.#files.has(url)) this.#files.set(url, readFile(url));
    return this.#files.get(url);
  }
}

function readFile(url: string): SourceFile | undefined {
  try {
    return new SourceFile(
      isTypeScript(url) ? compileTypeScript(url) : readFileSync(fileURLToPath(url), "utf8"),
    );
  } catch {
    // Code that was made at run time, or CommonJS in a syntax of its own: it is listed without its comment.
    return undefined;
  }
}

/** One file's functions, found by their texts. */
export class SourceFile {
  readonly text: string;
  readonly #comments: Comment[] = [];
  readonly #program: Node;

  constructor(text: string) {
    this.text = text;
    this.#program = parse(text, {
      ecmaVersion: "latest",
      sourceType: "module",
      locations: true,
      onComment: this.#comments,
    });
  }

  /** The function of this text: its parameters as they stand, and the doc comment before it. */
  find(functionText: string): { parameters: string; doc: string } | undefined {
    const path = this.#pathTo(this.#program, functionText, []);
    const fn = path?.at(-1);
    if (path === undefined || fn === undefined) return undefined;
    return { parameters: this.#parametersOf(fn), doc: this.#docBefore(path) };
  }

  /** Where the body of the function of this text begins. */
  bodyOf(functionText: string): Position | undefined {
    const fn = this.#pathTo(this.#program, functionText, [])?.at(-1);
    return fn !== undefined && "body" in fn && isNode(fn.body) ? fn.body.loc?.start : undefined;
  }

  /** The nodes from the program down to the function, outermost first. */
  #pathTo(node: Node, functionText: string, above: readonly Node[]): readonly Node[] | undefined {
    const path = [...above, node];
    if (isFunction(node) && this.#textOf(above.at(-1), node) === functionText) return path;
    for (const child of childrenOf(node)) {
      const found = this.#pathTo(child, functionText, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A method's text begins at its name, which belongs to the node above. */
  #textOf(parent: Node | undefined, node: Node): string {
    const isMethod = parent?.type === "Property" && "method" in parent && parent.method === true;
    return this.text.slice(isMethod ? parent.start : node.start, node.end);
  }

  #parametersOf(fn: Node): string {
    const params = "params" in fn && Array.isArray(fn.params) ? (fn.params as Node[]) : [];
    const [first, last] = [params[0], params.at(-1)];
    return first === undefined || last === undefined
      ? ""
      : this.text.slice(first.start, last.end).replace(/\s+/g, " ");
  }

  /** The doc comment right before the function, or before what it is part of: a property, a declaration, an export. */
  #docBefore(path: readonly Node[]): string {
    for (const node of path.toReversed()) {
      const doc = this.#comments.findLast(
        (comment) =>
          comment.type === "Block" &&
          comment.value.startsWith("*") &&
          comment.end <= node.start &&
          this.text.slice(comment.end, node.start).trim() === "",
      );
      if (doc !== undefined) return textOfDoc(doc.value);
    }
    return "";
  }
}

function textOfDoc(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*+ ?/, "").trimEnd())
    .join("\n")
    .trim();
}

function isFunction(node: Node): boolean {
  return /^(Function|ArrowFunction)/.test(node.type);
}

function* childrenOf(node: Node): Generator<Node> {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) yield child;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
