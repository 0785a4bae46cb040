import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import type { REPLServer } from "node:repl";
import { StringDecoder } from "node:string_decoder";
import type { Sink } from "../../client/output.ts";

/** A line that has no end yet is shown when nothing more has come for so long. */
const PATIENCE_MS = 200;

/**
 * Shows what jobs print. While a line is evaluated, byte for byte; while one is being typed, above it, whole lines at a
 * time, and the typed line stays as it is, with the cursor where it was.
 */
export class AbovePrompt {
  readonly sinks: { readonly stdout: Sink; readonly stderr: Sink };
  readonly #server: REPLServer;
  readonly #output: NodeJS.WritableStream;
  readonly #decoder = new StringDecoder("utf8");
  #isTyping = false;
  #isInLine = false;
  #rest = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(server: REPLServer, output: NodeJS.WritableStream) {
    this.#server = server;
    this.#output = output;
    const sink: Sink = { write: (bytes) => this.#write(bytes) };
    this.sinks = { stdout: sink, stderr: sink };
  }

  /** The prompt is gone: a line is evaluated. */
  hide(): void {
    this.#isTyping = false;
    this.#showRest();
  }

  /** The prompt comes back, on a line of its own. */
  show(): void {
    if (this.#isInLine) this.#output.write("\n");
    this.#isInLine = false;
    this.#isTyping = true;
  }

  #write(bytes: Uint8Array): void {
    const text = this.#decoder.write(Buffer.from(bytes));
    if (this.#isTyping && this.#server.terminal) return this.#collect(text);
    this.#output.write(text);
    if (text !== "") this.#isInLine = !text.endsWith("\n");
  }

  #collect(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (lines.length > 0) this.#insert(lines);
    clearTimeout(this.#timer);
    if (this.#rest !== "") this.#timer = setTimeout(() => this.#showRest(), PATIENCE_MS);
  }

  #showRest(): void {
    clearTimeout(this.#timer);
    const rest = this.#rest;
    this.#rest = "";
    if (rest === "") return;
    if (this.#isTyping) this.#insert([rest]);
    else this.#write(Buffer.from(rest));
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

/** What stands there of a line that was written over again and again. */
function lastState(line: string): string {
  const text = line.replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
