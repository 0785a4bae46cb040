import { StringDecoder } from "node:string_decoder";
import stringWidth from "string-width";

type Write = NodeJS.WriteStream["write"];
type WriteBytes = (this: NodeJS.WriteStream, bytes: Uint8Array, done?: () => void) => boolean;
type Name = "stdout" | "stderr";

const NEWLINE = 10;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE = "\r\u001b[2K";
const UP = "\u001b[1A";

/**
 * Lines at the bottom of the terminal that change in place, below all that is printed meanwhile, by whoever it is: while they
 * are shown, what goes to stdout and stderr is caught and put above them. A line that has not ended yet is their first.
 */
export class LiveArea {
  readonly #terminal: NodeJS.WriteStream;
  readonly #streams: Readonly<Record<Name, NodeJS.WriteStream>>;
  readonly #original = new Map<Name, Write>();
  readonly #unended: Record<Name, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #lines: readonly string[] = [];
  #drawn = 0;
  readonly #onExit = (): void => this.hide();

  constructor(streams: Readonly<Record<Name, NodeJS.WriteStream>> = process) {
    this.#streams = streams;
    this.#terminal = streams.stderr;
  }

  /** Whether there is a terminal to show them on. */
  get canShow(): boolean {
    return this.#terminal.isTTY && process.env["TERM"] !== "dumb";
  }

  get columns(): number {
    return this.#terminal.columns || 80;
  }

  /** Shows these instead of those before; none takes the area away. */
  show(lines: readonly string[]): void {
    if (lines.length === 0) return this.hide();
    if (this.#original.size === 0) this.#catch();
    this.#lines = lines;
    this.#redraw();
  }

  hide(): void {
    if (this.#original.size === 0) return;
    this.#erase();
    for (const [name, write] of this.#original) this.#streams[name].write = write;
    this.#original.clear();
    this.#lines = [];
    for (const name of ["stdout", "stderr"] as const) {
      if (this.#unended[name].length > 0) this.#streams[name].write(this.#unended[name]);
      this.#unended[name] = Buffer.alloc(0);
    }
    this.#terminal.write(SHOW_CURSOR);
    process.off("exit", this.#onExit);
  }

  #catch(): void {
    process.on("exit", this.#onExit);
    for (const name of ["stdout", "stderr"] as const) {
      const stream = this.#streams[name];
      // What goes into a file or a pipe is not in the way.
      if (!stream.isTTY) continue;
      this.#original.set(name, Reflect.get(stream, "write"));
      stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => this.#print(name, chunk, rest);
    }
    // A line that was begun before is left as it is: so many blanks end in the line below it, or where they began.
    this.#draw(HIDE_CURSOR + " ".repeat(this.columns) + CLEAR_LINE);
  }

  #print(name: Name, chunk: string | Uint8Array, rest: unknown[]): boolean {
    const encoding = typeof rest[0] === "string" ? (rest[0] as BufferEncoding) : "utf8";
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
    const all = Buffer.concat([this.#unended[name], bytes]);
    const end = all.lastIndexOf(NEWLINE) + 1;
    this.#unended[name] = all.subarray(end);
    const done = rest.find((value) => typeof value === "function") as (() => void) | undefined;
    if (end === 0) {
      this.#redraw();
      if (done !== undefined) queueMicrotask(done);
      return true;
    }
    this.#erase();
    const write = this.#original.get(name) as WriteBytes;
    const isTaken = write.call(this.#streams[name], all.subarray(0, end), done);
    this.#redraw();
    return isTaken;
  }

  #redraw(): void {
    this.#erase();
    const unended = (["stdout", "stderr"] as const).map((name) => lastShown(this.#unended[name]));
    const lines = [...unended.filter((line) => line !== ""), ...this.#lines];
    this.#draw(lines.map((line) => fitted(line, this.columns - 1)).join("\n"));
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#drawn === 0) return;
    this.#draw(CLEAR_LINE + (UP + CLEAR_LINE).repeat(this.#drawn - 1));
    this.#drawn = 0;
  }

  #draw(text: string): void {
    this.#original.get("stderr")?.call(this.#terminal, text);
  }
}

/** Of a line that has not ended what a terminal would show: what is behind its last return. */
function lastShown(bytes: Buffer): string {
  const text = new StringDecoder("utf8").write(bytes);
  return text.replace(/\r+$/, "").split("\r").at(-1) ?? "";
}

/** As much of a line as there is room for, in columns. */
export function fitted(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let [text, width] = ["", 0];
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    text += segment;
  }
  return `${text}…`;
}
