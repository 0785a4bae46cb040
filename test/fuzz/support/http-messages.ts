/** A request or a response, taken apart. */
export interface HttpMessage {
  readonly bytes: Buffer;
  /** Up to the blank line, which belongs to it. */
  readonly head: string;
  /** Without what chunks add to it. */
  readonly body: Buffer;
}

const END = Buffer.from("\r\n\r\n");

/** What one side of a connection sent, message by message; what was not whole is left out. */
export function splitMessages(stream: Buffer): HttpMessage[] {
  const messages: HttpMessage[] = [];
  for (let at = 0; ;) {
    const end = stream.indexOf(END, at);
    if (end < 0) return messages;
    const head = stream.toString("latin1", at, end + END.length);
    const bodyAt = end + END.length;
    const body = /transfer-encoding: chunked/i.test(head)
      ? chunks(stream, bodyAt)
      : sized(stream, bodyAt, head);
    messages.push({ bytes: stream.subarray(at, body.end), head, body: body.bytes });
    at = body.end;
  }
}

interface Part {
  readonly bytes: Buffer;
  readonly end: number;
}

function sized(stream: Buffer, at: number, head: string): Part {
  const end = at + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return { bytes: stream.subarray(at, end), end };
}

function chunks(stream: Buffer, start: number): Part {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = stream.indexOf("\r\n", at);
    const size = Number.parseInt(stream.toString("latin1", at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) return { bytes: Buffer.concat(parts), end: stream.length };
    parts.push(stream.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
    if (size === 0) return { bytes: Buffer.concat(parts), end: at };
  }
}
