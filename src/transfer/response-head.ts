/** The part of HTTP/1.1 that a pull has to understand: a status line, headers, and nothing lenient. */

const MAX_HEAD_BYTES: number = 16 * 1024;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** One star: several that take spaces would try every way to share them out. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;
const LENGTH = /^\d{1,15}$/;
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;
const END = Buffer.from("\r\n\r\n");

export interface ResponseHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** Gathers a response's head from pieces. */
export class HeadReader {
  #gathered: Buffer = Buffer.alloc(0);

  /** The head, and how many bytes of `piece` belong to it, once it is complete. @throws Error when it is malformed */
  push(piece: Uint8Array): { readonly head: ResponseHead; readonly consumed: number } | undefined {
    const before = this.#gathered.length;
    const room = MAX_HEAD_BYTES - before;
    this.#gathered = Buffer.concat([this.#gathered, piece.subarray(0, room)]);
    const end = this.#gathered.indexOf(END);
    if (end < 0) {
      if (this.#gathered.length < MAX_HEAD_BYTES) return undefined;
      throw new Error("sent headers without an end");
    }
    return {
      head: parseHead(this.#gathered.toString("latin1", 0, end)),
      consumed: end + END.length - before,
    };
  }
}

function parseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split("\r\n");
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) throw new Error("sent no HTTP/1.1 response");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error("sent a malformed header");
    const key = name.toLowerCase();
    // Two lengths or two tags: which of them is meant is anybody's guess.
    if (headers.has(key) && /^(content-|etag$|transfer-)/.test(key))
      throw new Error(`sent the header ${key} twice`);
    headers.set(key, trimmed(value));
  }
  return { status: Number(status), headers };
}

/** Without the spaces and tabs around it. */
function trimmed(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value[start])) start += 1;
  while (end > start && isBlank(value[end - 1])) end -= 1;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

export interface Wanted {
  readonly offset: number;
  readonly size: number;
  readonly sha256: string;
}

/** How many bytes of the body to leave out until the offset wanted. @throws Error that says what is wrong with the head */
export function checkHead({ status, headers }: ResponseHead, { offset, size, sha256 }: Wanted): number {
  if (status !== 200 && status !== 206) throw new Error(`answered ${status}`);
  if (headers.has("transfer-encoding") || headers.has("content-encoding"))
    throw new Error("sent an encoded body");
  if (headers.get("etag") !== `"${sha256}"`) throw new Error("has other data under this url");
  const lengthText = headers.get("content-length") ?? "";
  if (!LENGTH.test(lengthText)) throw new Error("did not say how long the body is");
  const start = status === 206 ? startOfRange(headers.get("content-range"), { offset, size }) : 0;
  if (Number(lengthText) !== size - start)
    throw new Error(`has a body of another length (${lengthText} bytes)`);
  return offset - start;
}

function startOfRange(
  header: string | undefined,
  { offset, size }: { offset: number; size: number },
): number {
  const [, start, last, total] = CONTENT_RANGE.exec(header ?? "") ?? [];
  if (Number(start) !== offset || Number(last) !== size - 1 || Number(total) !== size)
    throw new Error("sent another range than was asked for");
  return offset;
}
