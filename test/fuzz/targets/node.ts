/** A whole node, a process of its own, that is sent damaged requests, and whose workers send damaged frames. */
import { writeFrames } from "../fixtures/write-frames.mjs";
import { FuzzedNode, SILENCE_MS, TOKEN } from "../support/fuzzed-node.ts";
import type { Recordings } from "../support/recordings.ts";
import type { Target } from "../support/target.ts";

/** Each has ports of its own, which a closed connection keeps for a minute. */
const ADDRESSES = 32;
const AT_ONCE = 16;

export const nodeTargets: readonly Target[] = [requestsTarget(), workersTarget()];

function requestsTarget(): Target {
  const node = new FuzzedNode();
  let under = 0;
  const pending = new Set<Promise<void>>();
  let failure: unknown;
  const settle = async (sent: Promise<void>): Promise<void> => {
    await sent.catch((error: unknown) => (failure ??= error));
  };
  return {
    name: "node-requests",
    mostMs: 60_000,
    refusals: [],
    recordings: ({ requests }) => [...requests.map(({ head, body }) => withToken(head, body)), ...byHand()],
    open: async () => {
      await node.start();
      return async () => {
        await Promise.all(pending);
        await node.stop();
        if (failure !== undefined) throw failure;
      };
    },
    read: async (input) => {
      const sent = settle(node.send(input, `127.0.0.${2 + (under++ % ADDRESSES)}`));
      pending.add(sent);
      void sent.then(() => pending.delete(sent));
      if (pending.size >= AT_ONCE) await Promise.race(pending);
    },
  };
}

function workersTarget(): Target {
  const node = new FuzzedNode();
  return {
    name: "node-workers",
    // Each ends workers, which takes a while.
    inputs: 100,
    mostMs: 60_000,
    refusals: [],
    recordings: ({ fromWorker }: Recordings) => [...fromWorker, Buffer.concat(fromWorker.slice(0, 8))],
    open: async () => {
      await node.start();
      return () => node.stop();
    },
    read: async (input) => {
      const call = node.client.with({ async: false, timeoutMs: SILENCE_MS }).call(writeFrames, input);
      // The worker may say that it came to anything: that is its own affair.
      await call.then(
        () => {},
        (error: unknown) => {
          if (!(error instanceof Error)) throw new TypeError("no error");
        },
      );
    },
  };
}

/** A request as it was recorded, with a token that counts here. */
function withToken(head: string, body: Buffer): Buffer {
  const lines = head
    .trimEnd()
    .split("\r\n")
    .filter((line) => !/^(authorization|content-length|transfer-encoding|trailer|connection):/i.test(line));
  const length = body.length > 0 ? [`content-length: ${body.length}`] : [];
  return Buffer.concat([
    Buffer.from([...lines, `authorization: Bearer ${TOKEN}`, ...length, "", ""].join("\r\n"), "latin1"),
    body,
  ]);
}

/** What the recorded client does not ask for. */
function byHand(): Buffer[] {
  const json = "content-type: application/json";
  const ask = (line: string, headers: readonly string[] = [], body = ""): Buffer =>
    withToken([`${line} HTTP/1.1`, "host: localhost", ...headers, "", ""].join("\r\n"), Buffer.from(body));
  return [
    ask("POST /rpc/test/echo", [json], '[{"a":[1,"text",null]}]'),
    ask("POST /rpc/test/add", [json, "prefer: respond-async"], "[1,2]"),
    ask("GET /v1/data/fuzz/one", ["range: bytes=1-3", 'if-range: "x"']),
    ask("HEAD /v1/data/fuzz/one"),
    ask(
      "PUT /v1/data/fuzz/one",
      ["content-type: application/octet-stream", "kitchensink-upload: 12345678", "upload-length: 9"],
      "some data",
    ),
    ask("HEAD /v1/uploads/12345678"),
    ask("GET /v1/replicas/fuzz/one?wait=1"),
    ask("POST /v1/local", [json], '{"url":"fuzz/one"}'),
    ask("POST /v1/parts", [json], '{"pid":1}'),
    ask("POST /v1/looks", [json], '{"url":"fuzz/one"}'),
    ask("POST /v1/pulls", [json], '{"url":"fuzz/one","sources":["http://127.0.0.1:9/"],"idleMs":10}'),
    ask("POST /v1/drops", [json], "{}"),
    ask("GET /health"),
    ask("GET /ready"),
  ];
}
