import { KitchenError } from "../core/errors.ts";

const HEADER_BYTES = 4;

/** One frame: the body's length as 4 bytes, little end first, then the body. */
export function frame(body: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  out.writeUInt32LE(body.length, 0);
  out.set(body, HEADER_BYTES);
  return out;
}

/** The frames of all bodies, one behind the other. */
export function frames(bodies: readonly Uint8Array[]): Buffer {
  const [only] = bodies;
  if (only !== undefined && bodies.length === 1) return frame(only);
  let size = 0;
  for (const body of bodies) size += HEADER_BYTES + body.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const body of bodies) {
    at = out.writeUInt32LE(body.length, at);
    out.set(body, at);
    at += body.length;
  }
  return out;
}

/**
 * Cuts a byte stream into frames. Bodies are views of the chunks: copy what must outlive the call.
 * A frame that claims more than `maxBytes` throws `KS_TOO_LARGE` before any of it is kept.
 */
export class FrameReader {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #size = 0;
  #needed = HEADER_BYTES;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next chunk and calls `onFrame` for every frame that it completes. */
  push(chunk: Uint8Array, onFrame: (body: Uint8Array) => void): void {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    // Large frames arrive in many chunks: join them once, when all are there.
    if (this.#size < this.#needed) return;
    const only = this.#parts.length === 1 ? this.#parts[0] : undefined;
    const data = only ?? Buffer.concat(this.#parts, this.#size);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    for (;;) {
      this.#needed = HEADER_BYTES;
      if (data.length - at < HEADER_BYTES) break;
      this.#needed = HEADER_BYTES + this.#checked(view.getUint32(at, true));
      if (data.length - at < this.#needed) break;
      const body = data.subarray(at + HEADER_BYTES, at + this.#needed);
      at += this.#needed;
      onFrame(body);
    }
    this.#size = data.length - at;
    this.#parts = this.#size > 0 ? [data.subarray(at)] : [];
  }

  /** Whether the stream stopped in the middle of a frame. */
  get isInsideFrame(): boolean {
    return this.#size > 0;
  }

  #checked(length: number): number {
    if (length <= this.#maxBytes) return length;
    throw new KitchenError(
      "KS_TOO_LARGE",
      `Cannot read a frame of ${length} bytes: the limit is ${this.#maxBytes}`,
    );
  }
}
