/** Data in jobs, by way of the files of their own node. */
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { NodeData } from "../../src/worker/child/node-data.ts";
import { parseDataUrl } from "../../src/core/data-url.ts";
import { DataServer } from "../client/support/data-server.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const url = parseDataUrl("table");
let server: DataServer;
let data: NodeData;
beforeEach(async () => {
  server = await DataServer.start();
  server.localFolder = temporaryDirectory();
  server.put(url, Buffer.from("[1,2,3]"), { codec: "json" });
  data = new NodeData({ url: server.url, token: null, takesData: true, node: "node1", onWaiting: () => {} });
  onTestFinished(async () => await data.client.close());
});

async function all(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of body) text += Buffer.from(piece).toString();
  return text;
}

test("a file that is deleted between the node's answer and its opening is read from where else it is", async () => {
  expect(Buffer.from((await data.read(url)).bytes).toString()).toBe("[1,2,3]");
  expect(await data.object(url, undefined)).toEqual([1, 2, 3]);
  expect(await all((await data.stream(url, { start: 1, end: 4 })).body)).toBe("1,2");
});

test("data that is deleted between the node's answer and the opening of its file is not there, and no ENOENT", async () => {
  server.onLocal = () => void server.data.delete(url);
  for (const read of [() => data.read(url), () => data.object(url, undefined), () => data.stream(url)]) {
    server.put(url, Buffer.from("[1,2,3]"), { codec: "json" });
    await expect(read()).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  }
});

test("an object that was decoded before is not fetched again where the node keeps no file", async () => {
  server.localFolder = undefined;
  const first = await data.object(url, undefined);
  expect(first).toEqual([1, 2, 3]);
  expect(await data.object(url, undefined)).toBe(first);
  expect(server.log.filter((asked) => asked === "GET /v1/data/table")).toHaveLength(1);
  server.data.delete(url);
  await expect(data.object(url, undefined)).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
});

test("an object is not taken for what its url stood for a moment ago", async () => {
  const other = (): void => server.put(url, Buffer.from("[4]"), { codec: "json" });
  server.onLocal = other;
  expect(await data.object(url, undefined)).toEqual([4]);
  server.onLocal = () => {};
  server.put(url, Buffer.from("[1,2,3]"), { codec: "json" });
  expect(await data.object(url, undefined)).toEqual([1, 2, 3]);
});
