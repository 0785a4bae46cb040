/** Data by plain HTTP, at a node that has them and at one that passes the request on. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type Cluster } from "kitchensink/testing";
import { useStore } from "../../support/stores.ts";

const TEXT = "ten bytes!";
const ETAG = `"${createHash("sha256").update(TEXT).digest("hex")}"`;
const OTHER = `"${"0".repeat(64)}"`;

const redis = useStore("redis");
let cluster: Cluster;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
  cluster = await startCluster({
    ...redis(),
    nodes: 2,
    node: (index) => ({ dataDirectory: join(directory, String(index)) }),
  });
  await ask(0, { method: "PUT", path: "here", body: TEXT });
});
afterAll(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Asking {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is said behind the body. */
  readonly trailers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function ask(node: number, { method = "GET", path, headers, body, trailers }: Asking): Promise<Answer> {
  const type = body === undefined ? {} : { "content-type": "application/octet-stream" };
  const outgoing = request(new URL(`/v1/data/${path}`, cluster.urls[node]), {
    method,
    agent: false,
    headers: { authorization: `Bearer ${cluster.token}`, ...type, ...headers },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve).on("error", reject);
  });
  if (trailers === undefined) outgoing.end(body);
  else {
    outgoing.write(body);
    outgoing.addTrailers(trailers);
    outgoing.end();
  }
  const response = await answered;
  const pieces = await response.setEncoding("utf8").toArray();
  return { status: response.statusCode ?? 0, headers: response.headers, body: pieces.join("") };
}

describe.each([
  ["a node that has the data", 0],
  ["a node that passes the request on", 1],
])("%s", (_, node) => {
  test.each([
    ["its tag", ETAG],
    ["its tag as a weak one", `W/${ETAG}`],
    ["a list with its tag", `${OTHER}, W/"x,y" , ${ETAG}`],
    ["*", "*"],
  ])("answers 304 to If-None-Match with %s, to GET and to HEAD", async (_name, tags) => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await ask(node, { method, path: "here", headers: { "if-none-match": tags } });
      expect(answer).toMatchObject({ status: 304, headers: { etag: ETAG }, body: "" });
    }
  });

  test("answers with the data to If-None-Match with other tags, and to HEAD with all but the bytes", async () => {
    const headers = { "if-none-match": `${OTHER}, W/"x"` };
    const facts = {
      etag: ETAG,
      "content-length": "10",
      "accept-ranges": "bytes",
      "kitchensink-type": "file",
    };
    expect(await ask(node, { path: "here", headers })).toMatchObject({
      status: 200,
      headers: facts,
      body: TEXT,
    });
    expect(await ask(node, { method: "HEAD", path: "here", headers })).toMatchObject({
      status: 200,
      headers: facts,
      body: "",
    });
    expect((await ask(node, { method: "HEAD", path: "nothing" })).status).toBe(404);
  });

  test("answers 206 to a range, 416 to one behind the end, and 200 when If-Range is of other data", async () => {
    expect(
      await ask(node, { path: "here", headers: { range: "bytes=4-8", "if-range": ETAG } }),
    ).toMatchObject({
      status: 206,
      headers: { etag: ETAG, "content-range": "bytes 4-8/10", "content-length": "5" },
      body: "bytes",
    });
    expect(await ask(node, { path: "here", headers: { range: "bytes=10-" } })).toMatchObject({
      status: 416,
      headers: { "content-range": "bytes */10" },
    });
    // A weak tag does not say that the bytes are the same.
    for (const tag of [OTHER, `W/${ETAG}`])
      expect(
        await ask(node, { path: "here", headers: { range: "bytes=4-8", "if-range": tag } }),
      ).toMatchObject({ status: 200, body: TEXT });
  });
});

function digestOf(text: string): string {
  return `sha-256=:${createHash("sha256").update(text).digest("base64")}:`;
}

const MALFORMED = ["sha-256=abc", "sha-256=::", "sha-256=:AAAA:", "sha-512=:AAAA:", "nonsense", "a=:b:, sha"];
const RIGHT = digestOf("four");
const WRONG = digestOf("five");

/** What is said before and behind the body `four`. */
const REFUSED: readonly (readonly [Record<string, string>, Record<string, string>?])[] = [
  ...["repr-digest", "content-digest"].flatMap((name) =>
    [...MALFORMED, WRONG].flatMap((digest): [Record<string, string>, Record<string, string>?][] => [
      [{ [name]: digest }],
      [{ trailer: name }, { [name]: digest }],
      [{ "transfer-encoding": "chunked" }, { [name]: digest }],
    ]),
  ),
  [{ trailer: "content-digest" }, {}],
  [{ "repr-digest": RIGHT, "content-digest": WRONG }],
  [{ "repr-digest": WRONG, trailer: "repr-digest" }, { "repr-digest": RIGHT }],
];

test.each([
  ["at the node that takes them", "node1"],
  ["at a node that passes them on", "node2"],
])("bytes with a digest that is malformed or of others are refused %s, and not stored", async (_, to) => {
  for (const [headers, trailers] of REFUSED) {
    const put = { method: "PUT", path: `refused?node=${to}`, body: "four", headers };
    const answer = await ask(0, trailers === undefined ? put : { ...put, trailers });
    expect(answer.status, `${JSON.stringify([headers, trailers])} ${answer.body}`).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "KS_BAD_REQUEST" });
  }
  expect(await cluster.client.data.search("refused")).toEqual([]);
  for (const node of ["0", "1"])
    expect(readdirSync(join(directory, node, ".kitchensink/incoming"))).toEqual([]);
});

test.each(["node1", "node2"])(
  "bytes with the right digest are stored at %s, wherever it is said",
  async (to) => {
    const both = `sha-512=:${createHash("sha512").update("four").digest("base64")}:, ${RIGHT}`;
    const taken: readonly (readonly [Record<string, string>, Record<string, string>?])[] = [
      [{ "repr-digest": both }],
      [{ "content-digest": RIGHT }],
      [{ "content-digest": RIGHT, trailer: "repr-digest" }, { "repr-digest": RIGHT }],
      [{ "transfer-encoding": "chunked" }, { "content-digest": RIGHT }],
    ];
    for (const [index, [headers, trailers]] of taken.entries()) {
      const put = { method: "PUT", path: `taken/${to}/${index}?node=${to}`, body: "four", headers };
      expect(await ask(0, trailers === undefined ? put : { ...put, trailers })).toMatchObject({
        status: 201,
      });
    }
  },
);

test("where an upload goes on, the digest of the whole is checked, and that of the rest is refused", async () => {
  const upload = { "kitchensink-upload": "an-upload-1", "upload-length": "4" };
  const put = { method: "PUT", path: "whole" };
  const cut = request(new URL("/v1/data/whole", cluster.urls[0]), {
    method: "PUT",
    agent: false,
    headers: {
      authorization: `Bearer ${cluster.token}`,
      "content-type": "application/octet-stream",
      "content-digest": RIGHT,
      ...upload,
    },
  });
  cut.on("error", () => {});
  cut.write("fo");
  const offset = async (): Promise<unknown> =>
    (await ask(0, { method: "HEAD", path: "../uploads/an-upload-1" })).headers["upload-offset"];
  await expect.poll(offset).toBe("2");
  const rest = { ...put, body: "ur", headers: { ...upload, "upload-offset": "2" } };
  const refused = await ask(0, { ...rest, headers: { ...rest.headers, "content-digest": digestOf("ur") } });
  expect(refused).toMatchObject({ status: 400, body: expect.stringContaining("send Repr-Digest") });
  const taken = await ask(0, { ...rest, headers: { ...rest.headers, "repr-digest": RIGHT } });
  expect(taken).toMatchObject({ status: 201 });
});
