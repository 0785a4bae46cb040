import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import type { REPLServer } from "node:repl";
import { StringDecoder } from "node:string_decoder";
import type { Sink } from "../../client/output/output.ts";

/** A line that has no end yet is shown when nothing more has come for so long. */
const PATIENCE_MS = 200;
const NEWLINE = 10;

/**
 * Shows what jobs print. Where there is no terminal, byte for byte. On one, while a line is evaluated, as it comes, in
 * whole characters; while one is being typed, above it, whole lines at a time, and the typed line stays as it is, with the
 * cursor where it was.
 */
export class AbovePrompt {
  /** Each job gets sinks of its own, as it reads these once: halves of characters, or of lines, of two jobs never meet. */
  readonly sinks: { readonly stdout: Sink; readonly stderr: Sink };
  readonly #server: REPLServer;
  readonly #output: NodeJS.WritableStream;
  readonly #unended = new Set<Source>();
  #isTyping = false;
  #isInLine = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: REPLServer, output: NodeJS.WritableStream) {
    this.#server = server;
    this.#output = output;
    const sink = (): Sink => this.#sink();
    this.sinks = {
      get stdout() {
        return sink();
      },
      get stderr() {
        return sink();
      },
    };
  }

  /** The prompt is gone: a line is evaluated. */
  hide(): void {
    this.#isTyping = false;
    const rests = this.#takeRests();
    if (rests.length > 0) this.#print(rests.join("\n"));
  }

  /** The prompt comes back, on a line of its own. */
  show(): void {
    if (this.#isInLine) this.#output.write("\n");
    this.#isInLine = false;
    this.#isTyping = true;
  }

  #sink(): Sink {
    if (!this.#server.terminal)
      return {
        write: (bytes) => {
          this.#output.write(bytes);
          if (bytes.length > 0) this.#isInLine = bytes.at(-1) !== NEWLINE;
        },
      };
    const decoder = new StringDecoder("utf8");
    const source: Source = { rest: "" };
    return {
      write: (bytes) => {
        const text = decoder.write(Buffer.from(bytes));
        if (this.#isTyping) this.#collect(text, source);
        else this.#print(text);
      },
    };
  }

  #print(text: string): void {
    this.#output.write(text);
    if (text !== "") this.#isInLine = !text.endsWith("\n");
  }

  #collect(text: string, source: Source): void {
    const lines = (source.rest + text).split("\n");
    source.rest = lines.pop() ?? "";
    if (source.rest === "") this.#unended.delete(source);
    else this.#unended.add(source);
    if (lines.length > 0) this.#insert(lines);
    clearTimeout(this.#timer);
    if (this.#unended.size > 0) this.#timer = setTimeout(() => this.#insert(this.#takeRests()), PATIENCE_MS);
  }

  #takeRests(): readonly string[] {
    clearTimeout(this.#timer);
    const rests: string[] = [];
    for (const source of this.#unended) {
      rests.push(source.rest);
      source.rest = "";
    }
    this.#unended.clear();
    return rests;
  }

  #insert(lines: readonly string[]): void {
    moveCursor(this.#output, 0, -this.#server.getCursorPos().rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#output.write(lines.map((line) => `${lastState(line)}\n`).join(""));
    // The prompt begins here, however many rows it had above.
    (this.#server as unknown as { prevRows: number }).prevRows = 0;
    this.#server.prompt(true);
  }
}

/** One of the streams of one job. */
interface Source {
  /** Of its last line, which has no end yet. */
  rest: string;
}

/** What stands there of a line that was written over again and again. */
function lastState(line: string): string {
  const text = line.replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
