// Reads what is added to a file of lines.
import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

const PIECE_BYTES = 1024 * 1024;

export class Tail {
  readonly #path: string;
  readonly #piece = Buffer.alloc(PIECE_BYTES);
  readonly #decoder = new StringDecoder("utf8");
  #offset = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** The lines that are whole since the last time. */
  read(): string[] {
    const lines = (this.#rest + this.#added()).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }

  #added(): string {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch {
      // Nobody has written yet.
      return "";
    }
    const pieces: Buffer[] = [];
    for (;;) {
      const size = readSync(file, this.#piece, 0, PIECE_BYTES, this.#offset);
      if (size === 0) break;
      this.#offset += size;
      pieces.push(Buffer.from(this.#piece.subarray(0, size)));
    }
    closeSync(file);
    return this.#decoder.write(Buffer.concat(pieces));
  }
}
