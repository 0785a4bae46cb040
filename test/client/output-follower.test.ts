/** Who follows a job's output and takes its time. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { Http } from "../../src/client/connection/http.ts";
import { newJobId } from "../../src/client/calls/new-job-id.ts";
import type { Output } from "../../src/client/output/output.ts";
import { followOutput } from "../../src/client/output/output-follower.ts";
import { frame } from "../../src/codec/frames.ts";
import { encodeClientEvent } from "../../src/codec/wire.ts";

const PIECE_BYTES = 64 * 1024;
const PIECES = 640;
/** What is on its way in the sockets of this machine, and what the follower holds. */
const MOST_ON_ITS_WAY = 200;
const id = newJobId();

/** A node with a job that prints {@link PIECES} pieces, as fast as they are taken; each begins with its number. */
class Node {
  url = new URL("http://127.0.0.1/");
  sent = 0;
  /** From which pieces on it was asked for the output. */
  readonly asked: number[] = [];
  /** The stream is cut off behind this piece, once. */
  cutAt: number | undefined;
  readonly #server = createServer((request, response) => {
    if (request.url?.startsWith("/v1/events")) return this.#open(response);
    request.on("data", (body: Buffer) => void this.#send(body).catch(() => {}));
    response.writeHead(204).end();
  });
  #stream: ServerResponse | undefined;

  static async start(): Promise<Node> {
    const node = new Node();
    node.#server.listen(0, "127.0.0.1");
    await once(node.#server, "listening");
    node.url = new URL(`http://127.0.0.1:${(node.#server.address() as AddressInfo).port}/`);
    onTestFinished(() => {
      node.#server.close();
      node.#server.closeAllConnections();
    });
    return node;
  }

  #open(response: ServerResponse): void {
    this.#stream = response;
    response.writeHead(200).flushHeaders();
  }

  async #send(body: Buffer): Promise<void> {
    const { jobs } = JSON.parse(body.toString()) as { jobs: [{ from: number }] };
    const [{ from }] = jobs;
    this.asked.push(from);
    const stream = this.#stream!;
    for (this.sent = from; this.sent < PIECES; this.sent++) {
      if (this.sent === this.cutAt) {
        this.cutAt = undefined;
        return stream.destroy() as unknown as void;
      }
      if (!stream.write(frame(encodeClientEvent(piece(this.sent))))) await once(stream, "drain");
    }
    const end = { type: "finished", jobId: id, state: "succeeded", outcome: new Uint8Array() } as const;
    stream.write(frame(encodeClientEvent(end)));
  }
}

function piece(index: number): Parameters<typeof encodeClientEvent>[0] {
  const bytes = Buffer.alloc(PIECE_BYTES, "x");
  bytes.write(`${index} `);
  return { type: "output", jobId: id, attempt: 1, index, stream: "stdout", atMs: 0, bytes };
}

function follow(node: Node): AsyncIterable<Output> {
  const http = new Http(node.url, undefined);
  onTestFinished(() => http.close());
  return followOutput(http, id, Promise.resolve());
}

test("a reader who is slower than the job holds the node up, and not all that the job prints", async () => {
  const node = await Node.start();
  const read: number[] = [];
  let mostOnTheWay = 0;
  for await (const { text } of follow(node)) {
    read.push(Number.parseInt(text, 10));
    mostOnTheWay = Math.max(mostOnTheWay, node.sent - read.length);
    await sleep(1);
  }
  expect(read).toEqual(Array.from({ length: PIECES }, (_, index) => index));
  expect(mostOnTheWay).toBeLessThan(MOST_ON_ITS_WAY);
});

test("one who was cut off for it goes on where it was", async () => {
  const node = await Node.start();
  node.cutAt = 100;
  const read: number[] = [];
  for await (const { text } of follow(node)) {
    read.push(Number.parseInt(text, 10));
    await sleep(1);
  }
  expect(read).toEqual(Array.from({ length: PIECES }, (_, index) => index));
  expect(node.asked).toEqual([0, expect.any(Number)]);
});
