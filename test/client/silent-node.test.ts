/** Nodes that take connections and say nothing, as frozen ones do, and ways that swallow what is said. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { InstantCaller } from "../../src/client/calls/instant.ts";
import { Connection } from "../../src/client/connection/connection.ts";
import { Http } from "../../src/client/connection/http.ts";
import { newJobId } from "../../src/client/calls/new-job-id.ts";
import type { End } from "../../src/client/jobs/tracked-job.ts";
import { frame } from "../../src/codec/frames.ts";
import { encodeClientEvent } from "../../src/codec/wire.ts";
import type { SubmittedJob } from "../../src/core/messages.ts";

const PATIENCE = { silenceMs: 150, reconnectMs: 200 };
const NO_OUTPUT = { write: () => {}, progress: () => {}, end: () => {} };

/** What a node answers by its path; to what is not there it says nothing. */
type Answers = Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>>;

const opened = (response: ServerResponse): void => response.writeHead(200).flushHeaders();
const taken = (response: ServerResponse): void => void response.writeHead(204).end();

async function nodeWith(answers: Answers): Promise<{ server: Server; http: Http }> {
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    server.emit(path);
    answers[path]?.(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, http: new Http(url, undefined) };
}

async function connectionTo(
  answers: Answers,
): Promise<{ connection: Connection; asked: (path: string) => Promise<void> }> {
  const { server, http } = await nodeWith(answers);
  const connection = new Connection(http, false, PATIENCE);
  onTestFinished(() => connection.close());
  return { connection, asked: async (path) => void (await once(server, path)) };
}

/** Makes an instant call to a node that answers so. */
async function callInstantly(answer: Answers[string]): Promise<End> {
  const { http } = await nodeWith({ "/v1/instant": answer });
  const caller = new InstantCaller(http, false, PATIENCE);
  onTestFinished(() => caller.close());
  return await caller.submit(newJob(), [], NO_OUTPUT).untilEnded();
}

const newJob = (): SubmittedJob => ({
  id: newJobId(),
  queue: "default",
  priority: 0,
  spec: new Uint8Array(),
  inputs: [],
});

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
  expect(await connection.submit(newJob(), [], NO_OUTPUT).untilEnded()).toMatchObject(unavailable);
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

test.each([
  ["before its answer", () => {}],
  ["in the midst of it", opened],
])("an instant call ends when its node says nothing any more, %s", async (_, answer) => {
  expect(await callInstantly(answer)).toMatchObject({
    type: "failed",
    error: {
      code: "KS_CONNECTION_LOST",
      message: expect.stringMatching(/may have run or not.*nothing was heard for 0\.15 s/),
    },
  });
});

const brokenOff = { error: { message: expect.stringContaining("ended its answer too early") } };

test("an instant call waits as long as its node says that it lives", async () => {
  const end = await callInstantly((response) => {
    keepOpen(response);
    setTimeout(() => response.end(), 3 * PATIENCE.silenceMs);
  });
  expect(end).toMatchObject(brokenOff);
});

describe("what came while this process was busy with something else is heard, however long that took,", () => {
  /** Writes, and is busy before anybody reads that; in the phase of the event loop behind which timers come first. */
  const writeAndBeBusy = (write: () => void): void =>
    void setImmediate(() => {
      write();
      process.nextTick(() => {
        const until = performance.now() + 3 * PATIENCE.silenceMs;
        while (performance.now() < until);
      });
    });

  test("of an instant call", async () => {
    const end = await callInstantly((response) => {
      opened(response);
      setTimeout(() => writeAndBeBusy(() => response.end()), 20);
    });
    expect(end).toMatchObject(brokenOff);
  });

  test("of a queued one", async () => {
    let streams = 0;
    const id = newJobId();
    const { connection } = await connectionTo({
      "/v1/events": (response) => {
        streams += 1;
        opened(response);
        const unknown = frame(encodeClientEvent({ type: "unknown", jobId: id }));
        setTimeout(() => writeAndBeBusy(() => response.write(unknown)), PATIENCE.silenceMs / 2);
      },
      "/v1/watch": taken,
    });
    expect(await connection.watch(id, NO_OUTPUT).untilEnded()).toMatchObject({
      error: { code: "KS_NO_SUCH_JOB" },
    });
    expect(streams).toBe(1);
  });
});

/** A stream on which something comes all the time. */
function keepOpen(response: ServerResponse): void {
  opened(response);
  const alive = frame(encodeClientEvent({ type: "alive" }));
  const timer = setInterval(() => response.write(alive), 50);
  response.on("close", () => clearInterval(timer));
}
