/** What is read of a request before and beside its messages: bodies in JSON, targets, headers, data urls, patterns. */
import { resolve } from "node:path";
import { parseDataType, parseSha256 } from "../../../src/core/data.ts";
import { isDataUrl, parseDataUrl } from "../../../src/core/data-url.ts";
import { parseGlob } from "../../../src/core/glob.ts";
import { parseJobId, parseNodeName, parseQueue } from "../../../src/core/ids.ts";
import { traceIn } from "../../../src/core/trace.ts";
import { parseRange } from "../../../src/data/ranges.ts";
import { digestIn } from "../../../src/node/http/digests.ts";
import { namesTag } from "../../../src/node/http/entity-tags.ts";
import { parseClient } from "../../../src/node/http/event-routes.ts";
import { Guard } from "../../../src/node/http/guard.ts";
import { functionOf, parseRequest } from "../../../src/node/http/jsonrpc.ts";
import { bodyJson, bodyObject } from "../../../src/node/http/server.ts";
import { parseSource } from "../../../src/transfer/source.ts";
import { jsonWith, text, texts } from "../support/made.ts";
import type { Target } from "../support/target.ts";

const refusals = ["KS_BAD_REQUEST", "KS_TOO_LARGE"] as const;
const KEYS = [
  "client",
  "jobs",
  "id",
  "from",
  "reason",
  "url",
  "urls",
  "sources",
  "patterns",
  "node",
  "nodes",
  "copies",
  "sha256",
  "type",
];
const NAMESPACES = [
  { name: "default", isArbitraryAllowed: true, functions: ["add", "a.b"] },
  { name: "test", isArbitraryAllowed: true, functions: ["add"] },
  { name: "a", isArbitraryAllowed: true, functions: ["b.c"] },
  { name: "a.b", isArbitraryAllowed: true, functions: ["c"] },
];
const guard = new Guard({
  token: "t",
  hostNames: new Set(["localhost", "127.0.0.1", "[::1]"]),
  warn: () => {},
});
const utf8 = (texts_: readonly string[]): Buffer[] => texts_.map((one) => Buffer.from(one));

export const requestTargets: readonly Target[] = [
  {
    name: "json-body",
    refusals,
    recordings: ({ requests }) =>
      requests
        .filter(({ head, body }) => head.includes("application/json") && body.length > 0)
        .map(({ body }) => body),
    made: jsonWith(...KEYS),
    read: (input) => readBody(bodyObject(input)),
  },
  {
    name: "json-rpc",
    refusals,
    recordings: () =>
      utf8([
        '{"jsonrpc":"2.0","id":1,"method":"test.add","params":[1,2]}',
        '[{"jsonrpc":"2.0","method":"add"},{"jsonrpc":"2.0","id":"a","method":"a.b.c","params":{"x":[null]}}]',
      ]),
    made: jsonWith("jsonrpc", "id", "method", "params"),
    read: (input) => {
      const body = bodyJson(input);
      for (const one of Array.isArray(body) ? body : [body]) {
        const request = parseRequest(one);
        if (!("method" in request)) continue;
        const { namespace, name } = functionOf(request.method, NAMESPACES);
        if (request.method !== name && request.method !== `${namespace}.${name}`)
          throw new Error(`${request.method} became ${namespace} and ${name}`);
      }
    },
  },
  {
    name: "trace",
    refusals: [],
    recordings: () =>
      utf8([
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\nvendor=1,other=2",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more",
      ]),
    made: texts("00-", "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "-01", "-", "\n", "a=1", ","),
    read: (input) => {
      const [traceparent, tracestate] = input.toString("latin1").split("\n");
      const trace = traceIn({ traceparent, tracestate });
      if (trace !== null && (trace.traceparent.length > 512 || trace.tracestate.length > 512))
        throw new Error("more than what has to be passed on");
    },
  },
  {
    name: "data-url",
    refusals: ["KS_BAD_REQUEST"],
    recordings: () => utf8(["mylarge/dataset", "a/b/c.csv", "ünïcödé/名前", "a%2e/b", "x".repeat(150)]),
    made: texts("..", ".", "/", "%2e", "\\", "\0", "a", "ü", "e\u0301", "\ud800", ".kitchensink", "~", ":"),
    read: (input) => {
      const url = parseDataUrl(input.toString());
      const path = resolve("/data", url);
      const isInside = path.startsWith("/data/") && !path.startsWith("/data/.") && path === `/data/${url}`;
      if (!isInside || !isDataUrl(url)) throw new Error(`${JSON.stringify(url)} leads to ${path}`);
    },
  },
  {
    name: "pattern",
    refusals: ["KS_BAD_REQUEST"],
    recordings: () => utf8(["data/**/*.csv", "[a-z]*/?b", "**", "a\\*b/[!x]", "**/a/**/b/*c*d*"]),
    made: texts("*", "**", "/", "?", "[", "]", "[!a-z]", "\\", "-", "a", "aaaa", "**/"),
    read: (input) => {
      const glob = parseGlob(input.toString());
      for (const url of ["a".repeat(200), "a/".repeat(100) + "a", "aaa/".repeat(50), "data/2024/rows.csv"]) {
        const { steps } = glob.match(url);
        if (steps > (glob.pattern.length + 1) * (url.length + 1)) throw new Error(`${steps} steps`);
      }
    },
  },
  {
    name: "range",
    refusals: [],
    recordings: () => utf8(["bytes=0-4", "bytes=5-", "bytes=-3", "bytes=0-0,5-9", "bytes= 1-2 "]),
    made: texts("bytes=", "-", ",", " ", "0", "9", "99999999999999999999"),
    read: (input) => {
      const range = parseRange(input.toString("latin1"), 100);
      if (range === undefined || range === "unsatisfiable") return;
      if (!(range.start >= 0 && range.start < range.end && range.end <= 100))
        throw new Error(JSON.stringify(range));
    },
  },
  {
    name: "digest",
    refusals: ["KS_BAD_REQUEST"],
    recordings: () =>
      utf8([`sha-256=:${"A".repeat(43)}=:`, `sha-512=:AAAA:, sha-256=:${"b".repeat(43)}=:`, "sha-256=::"]),
    made: texts("sha-256", "=", ":", ",", " ", "A".repeat(43), "AAAA", "=="),
    read: (input) => {
      const digest = digestIn({ "repr-digest": input.toString("latin1") }, 0);
      // What is refused is said; nothing is let through unread.
      parseSha256(digest);
    },
  },
  {
    name: "entity-tags",
    refusals: [],
    recordings: () => utf8(['"a"', 'W/"a", "b"', "*", '"a,b",W/"c"']),
    made: texts('"', "W/", ",", " ", "*", "a", "\\"),
    read: (input) => {
      const header = input.toString("latin1");
      if (namesTag(header, '"a"') && !header.includes('"a"') && header.trim() !== "*")
        throw new Error(header);
    },
  },
  {
    name: "host-and-origin",
    refusals: ["KS_BAD_REQUEST", "KS_FORBIDDEN"],
    recordings: () =>
      utf8([
        "/v1/nodes\nlocalhost:6323\nhttp://localhost:6323\nsame-origin",
        "/\n[::1]\nhttp://[::1]\nnone",
        "/health\n127.0.0.1",
      ]),
    made: texts(
      "/",
      "\n",
      "localhost",
      "[::1]",
      ":6323",
      "http://",
      "https://",
      "evil.example",
      "@",
      ".",
      "null",
      "none",
    ),
    read: (input) => {
      const [url = "", host = "", origin, site] = input.toString("latin1").split("\n");
      const headers = {
        host,
        ...(origin === undefined ? {} : { origin }),
        ...(site === undefined ? {} : { "sec-fetch-site": site }),
      };
      guard.checkOrigin({ url, rawHeaders: ["host", host], headers });
      const name = host.toLowerCase().replace(/:\d+$/, "");
      if (!["localhost", "127.0.0.1", "[::1]"].includes(name)) throw new Error(`${host} was let in`);
      if (origin !== undefined && new URL(origin).hostname !== name)
        throw new Error(`${origin} was let in to ${host}`);
    },
  },
  {
    name: "source",
    refusals: ["KS_BAD_REQUEST"],
    recordings: () =>
      utf8(["http://127.0.0.1:6323/v1/replicas/a?wait=5", "http://[::1]/", "http://node1:80/x"]),
    made: text,
    read: (input) => parseSource(input.toString()),
  },
];

/** As the routes do, one field after the other. */
function readBody(body: Readonly<Record<string, unknown>>): void {
  const readers: Readonly<Record<string, (value: unknown) => unknown>> = {
    client: parseClient,
    id: parseJobId,
    url: parseDataUrl,
    node: parseNodeName,
    queue: parseQueue,
    sha256: parseSha256,
    type: parseDataType,
    jobs: (value) => Array.isArray(value) && value.map(parseJobId),
    urls: (value) => Array.isArray(value) && value.map(parseDataUrl),
    patterns: (value) => Array.isArray(value) && value.map(parseGlob),
  };
  for (const [key, read] of Object.entries(readers)) if (Object.hasOwn(body, key)) read(body[key]);
}
