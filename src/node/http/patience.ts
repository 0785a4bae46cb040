/** How long a node waits for what somebody began to send, and what it says of what is no HTTP. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A node says so often that it lives, to those who wait for it. */
export const ALIVE_MS = 15_000;

/**
 * A body that is still not here after a while never will be: the connection ends, also when the request was answered
 * already. Gives what lifts the limit.
 */
export function limitTime(request: IncomingMessage, timeoutMs: number): () => void {
  const { headers, socket } = request;
  const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  if (!hasBody) return () => {};
  const timer = setTimeout(() => socket.destroy(), timeoutMs).unref();
  const stop = (): void => {
    clearTimeout(timer);
    request.off("end", stop);
    socket.off("close", stop);
  };
  request.once("end", stop);
  socket.once("close", stop);
  return stop;
}

const STATUS: Readonly<Record<string, readonly [status: number, title: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "Payload Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

/** What is malformed cannot be told from what follows it: it is said once, and nothing more is read. */
export function answerMalformed(code: string | undefined, socket: Socket): void {
  if (code === "ECONNRESET" || socket.destroyed) return;
  // Node names the answer that is under way there, and nowhere else: what has begun must not go on with this.
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  const isFree = socket.writable && answer?.headersSent !== true;
  const [status, title] = STATUS[code ?? ""] ?? [400, "Bad Request"];
  const detail = "Cannot read the request: it is no HTTP that this node takes";
  const problem = status === 413 || status === 431 ? "KS_TOO_LARGE" : "KS_BAD_REQUEST";
  const body = JSON.stringify({ type: "about:blank", title, status, detail, code: problem });
  if (isFree)
    socket.write(
      `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\nx-content-type-options: nosniff\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  socket.destroySoon();
}
