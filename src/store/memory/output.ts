import type { OutputPiece } from "../port.ts";
import { cutNotice } from "../output-limit.ts";
import { ownBytes } from "./bytes.ts";

/** A job's output, bounded. */
export class OutputLog {
  readonly #limitBytes: number;
  readonly #pieces: OutputPiece[] = [];
  #bytes = 0;
  #isCut = false;
  #lastAttempt = 0;
  #lastIndex = -1;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** `false` when the piece is a repeated one; nothing was changed then. */
  append(piece: OutputPiece): boolean {
    if (piece.attempt === this.#lastAttempt && piece.index <= this.#lastIndex) return false;
    this.#lastAttempt = piece.attempt;
    this.#lastIndex = piece.index;
    if (!this.#isCut) this.#keep(piece);
    return true;
  }

  from(position: number): OutputPiece[] {
    return this.#pieces.slice(position);
  }

  #keep(piece: OutputPiece): void {
    const room = this.#limitBytes - this.#bytes;
    const fits = piece.bytes.length <= room;
    const kept = fits ? piece.bytes : piece.bytes.subarray(0, room);
    if (kept.length > 0 || fits) this.#pieces.push({ ...piece, bytes: ownBytes(kept) });
    this.#bytes += kept.length;
    if (fits) return;
    this.#isCut = true;
    // Where readers expect what was cut: they print pieces in the order of their indexes, each once.
    const index = piece.index + (kept.length > 0 ? 1 : 0);
    this.#pieces.push({ ...piece, index, stream: "stderr", bytes: cutNotice(this.#limitBytes), isCut: true });
  }
}
