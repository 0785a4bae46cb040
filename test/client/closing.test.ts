/** What becomes of requests that are under way when their client is closed. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Client } from "kitchensink";
import { expect, onTestFinished, test } from "vitest";

const CLOSED = { code: "KS_CONNECTION_LOST", message: "The client was closed: make a new one" };

/** A node that takes requests and answers none; `begins`: but for the head of its answer. */
async function silentNode({ begins = false } = {}): Promise<{ server: Server; c: Client }> {
  const server = createServer((_request, response) => {
    if (begins) response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const c = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { output: "off" });
  onTestFinished(async () => {
    await c.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { server, c };
}

test.each([
  { what: "a question", ask: (c: Client) => c.nodes() },
  { what: "an instant call", ask: (c: Client) => c.with({ async: false }).call("add", 1, 2) },
  { what: "data", ask: (c: Client) => c.data.info("some/data") },
])("$what: what waits for its answer ends with close(), and says why", async ({ ask }) => {
  const { server, c } = await silentNode();
  const asked = once(server, "request");
  const answer = Promise.resolve(ask(c)).catch((error: unknown) => error);
  await asked;
  await c.close();
  expect(await answer).toMatchObject(CLOSED);
});

test("an answer that has begun ends with close() too", async () => {
  const { server, c } = await silentNode({ begins: true });
  let requests = 0;
  server.on("request", () => (requests += 1));
  const answers = [c.nodes(), c.with({ async: false }).call("add", 1, 2)].map((asked) =>
    Promise.resolve(asked).catch((error: unknown) => error),
  );
  await expect.poll(() => requests).toBe(2);
  await c.close();
  expect(await Promise.all(answers)).toMatchObject([CLOSED, CLOSED]);
});
