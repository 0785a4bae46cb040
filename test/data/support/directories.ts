import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import type { DataFacts, Sha256 } from "../../../src/core/data.ts";
import { parseDataUrl } from "../../../src/core/data-url.ts";
import { DataDirectory, type DataDirectoryOptions } from "../../../src/data/directory.ts";
import { parseRange } from "../../../src/data/ranges.ts";
import type { PullOptions, ReceiveOptions } from "../../../src/data/types.ts";

/** A folder that is gone when the test ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "kitchensink-data-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export type Opened = { directory: DataDirectory; warnings: string[] };

export async function openDirectory(options: Partial<DataDirectoryOptions> = {}): Promise<Opened> {
  const warnings: string[] = [];
  const directory = await DataDirectory.open({
    path: options.path ?? folder(),
    cluster: "default",
    warn: (message) => warnings.push(message),
    ...options,
  });
  onTestFinished(() => directory.close());
  return { directory, warnings };
}

export const url = parseDataUrl;

/** Bytes that differ from place to place, so that a piece in the wrong place is noticed. */
export function bytesOf(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at + 4 <= length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

export function sha256Of(bytes: Uint8Array): Sha256 {
  return createHash("sha256").update(bytes).digest("hex") as Sha256;
}

export function factsOf(name: string, bytes: Uint8Array): DataFacts {
  return { url: url(name), size: bytes.length, sha256: sha256Of(bytes), codec: null, type: "file" };
}

export function upload(name: string, more: Partial<ReceiveOptions> = {}): ReceiveOptions {
  return { url: url(name), codec: null, type: "file", ...more };
}

export function pulling(facts: DataFacts, sources: string[], more: Partial<PullOptions> = {}): PullOptions {
  return { facts, sources, token: null, cluster: "default", idleMs: 5_000, ...more };
}

/** Saves bytes. */
export async function save(directory: DataDirectory, name: string, bytes: Uint8Array): Promise<void> {
  await directory.receive(Readable.from([bytes]), upload(name));
}

export async function readAll(directory: DataDirectory, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await directory.openReader(url(name))).pieces()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Serves a data directory as a node does. Gives the address that a url's path follows. */
export async function serve(directory: DataDirectory, { waitMs = 5_000 } = {}): Promise<string> {
  return listen(createServer((request, response) => void answer(directory, { request, response, waitMs })));
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly waitMs: number;
}

async function answer(directory: DataDirectory, { request, response, waitMs }: Exchange): Promise<void> {
  try {
    const reader = await directory.openReader(url(decodeURIComponent(request.url?.slice(1) ?? "")), {
      waitMs,
    });
    const { size, sha256 } = reader.facts;
    const range = parseRange(request.headers.range, size);
    if (range === "unsatisfiable") {
      await reader.close();
      response.writeHead(416).end();
      return;
    }
    const { start, end } = range ?? { start: 0, end: size };
    response.writeHead(range === undefined ? 200 : 206, {
      etag: `"${sha256}"`,
      "content-length": end - start,
      ...(range !== undefined && { "content-range": `bytes ${start}-${end - 1}/${size}` }),
    });
    response.flushHeaders();
    await reader.sendTo(response, range);
    response.end();
  } catch {
    if (response.headersSent) response.destroy();
    else response.writeHead(404).end();
  }
}

/** Listens until the test ends. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A source that does what a test wants. `request`: the head that came. */
export async function source(answerTo: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (head) => answerTo(socket, head.toString("latin1")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The head of an honest answer from `offset` on. */
export function headFor({ size, sha256 }: DataFacts, offset = 0): string {
  const range = offset > 0 ? `content-range: bytes ${offset}-${size - 1}/${size}\r\n` : "";
  return (
    `HTTP/1.1 ${offset > 0 ? 206 : 200} OK\r\netag: "${sha256}"\r\n` +
    `content-length: ${size - offset}\r\n${range}\r\n`
  );
}

export function offsetAsked(request: string): number {
  return Number(/range: bytes=(\d+)-/.exec(request)?.[1] ?? 0);
}

/** Compares many bytes at once; a matcher would look at each. */
export function isSame(actual: Uint8Array, expected: Uint8Array): boolean {
  return Buffer.compare(actual, expected) === 0;
}
