/** Nodes that take connections and say nothing, as frozen ones do, and ways that swallow what is said. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Connection } from "../../src/client/connection/connection.ts";
import { Http } from "../../src/client/connection/http.ts";
import { newJobId } from "../../src/client/calls/new-job-id.ts";
import { frame } from "../../src/codec/frames.ts";
import { encodeClientEvent } from "../../src/codec/wire.ts";

const PATIENCE = { silenceMs: 150, reconnectMs: 200 };
const NO_OUTPUT = { write: () => {}, progress: () => {}, end: () => {} };

/** What a node answers by its path; to what is not there it says nothing. */
type Answers = Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>>;

const opened = (response: ServerResponse): void => response.writeHead(200).flushHeaders();
const taken = (response: ServerResponse): void => void response.writeHead(204).end();

async function connectionTo(
  answers: Answers,
): Promise<{ connection: Connection; asked: (path: string) => Promise<void> }> {
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    server.emit(path);
    answers[path]?.(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const connection = new Connection(new Http(url, undefined), false, PATIENCE);
  onTestFinished(async () => {
    await connection.close();
    server.close();
    server.closeAllConnections();
  });
  return { connection, asked: async (path) => void (await once(server, path)) };
}

const unavailable = {
  type: "failed",
  error: { code: "KS_UNAVAILABLE", message: expect.stringContaining("nothing was heard for 0.15 s") },
};

test("a wait ends when the node falls silent and does not answer any more", async () => {
  let streams = 0;
  const { connection } = await connectionTo({
    "/v1/events": (response) => (streams++ === 0 ? opened(response) : undefined),
    "/v1/watch": taken,
  });
  expect(await connection.watch(newJobId(), NO_OUTPUT).untilEnded()).toMatchObject({
    type: "failed",
    error: {
      code: "KS_CONNECTION_LOST",
      message: expect.stringMatching(/the node said nothing for 0\.15 s.*nothing was heard for 0\.15 s/),
    },
  });
});

test("a wait ends when the node never says that it listens", async () => {
  const { connection } = await connectionTo({});
  expect(await connection.watch(newJobId(), NO_OUTPUT).untilEnded()).toMatchObject(unavailable);
});

test("a wait ends when the node does not say that it has the job", async () => {
  const { connection } = await connectionTo({ "/v1/events": keepOpen });
  expect(await connection.watch(newJobId(), NO_OUTPUT).untilEnded()).toMatchObject(unavailable);
  const job = { id: newJobId(), queue: "default", priority: 0, spec: new Uint8Array(), inputs: [] };
  expect(await connection.submit(job, [], NO_OUTPUT).untilEnded()).toMatchObject(unavailable);
});

test("a cancel that is not answered fails", async () => {
  const { connection } = await connectionTo({});
  await expect(connection.cancelById(newJobId(), "")).rejects.toMatchObject(unavailable.error);
});

test("close() does not wait for a node that says nothing, and what is waited for ends with it", async () => {
  const { connection, asked } = await connectionTo({});
  const end = connection.watch(newJobId(), NO_OUTPUT).untilEnded();
  await asked("/v1/events");
  await connection.close();
  expect(await end).toMatchObject({ error: { message: expect.stringContaining("closed") } });
});

/** A stream on which something comes all the time. */
function keepOpen(response: ServerResponse): void {
  opened(response);
  const alive = frame(encodeClientEvent({ type: "alive" }));
  const timer = setInterval(() => response.write(alive), 50);
  response.on("close", () => clearInterval(timer));
}
