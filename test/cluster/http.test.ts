import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";

const FUNCTIONS = fileURLToPath(new URL("./fixtures/functions.ts", import.meta.url));
const BY_NAME = fileURLToPath(new URL("./fixtures/json-functions.ts", import.meta.url));
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ modules: [FUNCTIONS, BY_NAME] });
});
afterAll(() => cluster.close());

interface Curled {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly location: string;
}

/** What curl gets; with the token, unless it is told otherwise. */
async function curl(path: string, ...args: string[]): Promise<Curled> {
  const { stdout } = await promisify(execFile)("curl", [
    "-s",
    "-w",
    "\n%{http_code}\n%{content_type}\n%header{location}",
    "-H",
    `authorization: Bearer ${cluster.token}`,
    ...args,
    `${cluster.urls[0]}${path}`,
  ]);
  const lines = stdout.split("\n");
  const [status, type = "", location = ""] = lines.splice(-3);
  return { status: Number(status), type, body: lines.join("\n"), location };
}

const JSON_BODY = ["-X", "POST", "-H", "content-type: application/json", "-d"];

test("a registered function is called with curl alone", async () => {
  expect(await curl("rpc/test/add", ...JSON_BODY, "[1,2]")).toMatchObject({
    status: 200,
    type: "application/json",
    body: "3",
  });
  expect(await curl("rpc/default/greet", ...JSON_BODY, '["Ada"]')).toMatchObject({
    status: 200,
    body: '"Hello, Ada!"',
  });
});

test("an empty body is no arguments", async () => {
  expect(await curl("rpc/test/pid", ...JSON_BODY, "")).toMatchObject({
    status: 200,
    body: expect.stringMatching(/^\d+$/),
  });
});

test.each([
  ["a member for each parameter", "rpc/test/add", '{"b":2,"a":1}', "3"],
  ["what is left out has its default", "rpc/test/add", '{"a":1}', "2"],
  ["none", "rpc/json/nothing", "{}", "null"],
  ["the one object that the parameter takes apart", "rpc/json/area", '{"width":2,"height":3}', "6"],
  ["a method's parameters", "rpc/json/join", '{"texts":["a","b"],"by":"-"}', '"a-b"'],
])("arguments by name: %s", async (_what, path, body, result) => {
  expect(await curl(path, ...JSON_BODY, body)).toMatchObject({ status: 200, body: result });
});

test("what a function throws is a problem with its name, message and stack", async () => {
  const { status, type, body } = await curl("rpc/test/buy", ...JSON_BODY, '["hats"]');
  expect({ status, type }).toEqual({ status: 500, type: "application/problem+json" });
  expect(JSON.parse(body)).toMatchObject({
    title: "OutOfStock",
    detail: "no more hats",
    stack: expect.stringContaining("functions.ts:"),
  });
});

test.each([
  ["rpc/test/nothing", "[]", 404, "KS_UNKNOWN_FUNCTION"],
  ["rpc/nowhere/add", "[]", 404, "KS_UNKNOWN_FUNCTION"],
  ["rpc/test/add", "[1,", 400, "KS_CANNOT_DECODE"],
  ["rpc/test/add", "3", 400, "KS_BAD_REQUEST"],
  ["rpc/test/add", '{"a":1,"c":2}', 422, "KS_INVALID_ARGUMENTS"],
  ["rpc/json/longest", '{"texts":["a"]}', 422, "KS_INVALID_ARGUMENTS"],
  ["rpc/default/double", '["x"]', 422, "KS_INVALID_ARGUMENTS"],
])("POST %s with %s is %i %s", async (path, body, status, code) => {
  const answer = await curl(path, ...JSON_BODY, body);
  expect(answer.status).toBe(status);
  expect(answer.type).toBe("application/problem+json");
  expect(JSON.parse(answer.body)).toMatchObject({
    status,
    code,
    detail: expect.any(String),
    title: expect.any(String),
  });
});

test("a call that prefers respond-async gives 202 and the job's address, where the result is in the end", async () => {
  const accepted = await curl("rpc/test/add", "-H", "prefer: respond-async", ...JSON_BODY, "[1,2]");
  expect(accepted.status).toBe(202);
  const { id } = JSON.parse(accepted.body) as { id: string };
  expect(accepted.location).toBe(`/v1/jobs/${id}`);
  await expect
    .poll(async () => JSON.parse((await curl(`v1/jobs/${id}`)).body) as unknown)
    .toMatchObject({ id, state: "succeeded", label: "test.add", result: 3 });
});

test("a job's output is there as text", async () => {
  const job = cluster.client.call(() => {
    console.log("one");
    console.error("two");
  });
  await job;
  const { body } = await curl(`v1/jobs/${job.id}/output`);
  expect(body.split("\n").toSorted()).toEqual(["", "one", "two"]);
});

test.each([
  ["v1/catalog?limit=1.5", "limit"],
  ["v1/catalog?limit=1&limit=2", "limit"],
  ["v1/jobs?limit=ten", "limit"],
  ["v1/jobs/ID/output?from=1.5", "from"],
  ["v1/jobs/ID/output?from=1e30", "from"],
  ["v1/jobs/ID/output?from=-1", "from"],
])("GET %s is refused with what was expected", async (path, name) => {
  const job = cluster.client.call(() => 1);
  await job;
  const { status, body } = await curl(path.replace("ID", job.id));
  expect({ status, ...(JSON.parse(body) as object) }).toMatchObject({
    status: 400,
    code: "KS_BAD_REQUEST",
    detail: expect.stringMatching(
      new RegExp(`^Not a count: ${name} is ".*" \\(expected a whole number from 0 on\\)$`),
    ),
  });
});

/** A request whose caller may go away. */
function post(path: string, body: string): ClientRequest {
  const headers = { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" };
  const outgoing = request(`${cluster.urls[0]}${path}`, { method: "POST", headers });
  outgoing.on("error", () => {});
  return outgoing.end(body);
}

test("a caller that goes away ends its call", async () => {
  const begun = join(temporaryDirectory(), "begun");
  const outgoing = post("rpc/json/wait", JSON.stringify([begun]));
  await expect.poll(() => existsSync(begun)).toBe(true);
  outgoing.destroy();
  expect(await curl("rpc/test/add", ...JSON_BODY, "[1]")).toMatchObject({ body: "2" });
});

test("a caller that goes away between two items ends the generator", async () => {
  const outgoing = post("rpc/json/ticks", "[]");
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  await once(answer, "data");
  answer.on("error", () => {});
  outgoing.destroy();
  expect(await curl("rpc/test/add", ...JSON_BODY, "[1]")).toMatchObject({ body: "2" });
});

test("a body over the limit is refused while it comes", async () => {
  const { Readable } = await import("node:stream");
  const chunk = Buffer.alloc(1024 * 1024);
  const body = Readable.from(
    (function* () {
      for (let mib = 0; mib < 200; mib += 1) yield chunk;
    })(),
  );
  const status = await new Promise<number | string>((resolve) => {
    const headers = { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" };
    const outgoing = request(`${cluster.urls[0]}rpc/test/add`, { method: "POST", headers }, (response) => {
      resolve(response.statusCode ?? 0);
      outgoing.destroy();
    });
    // The node may close the connection before its answer is read.
    outgoing.on("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    body.pipe(outgoing);
  });
  expect([413, "ECONNRESET", "EPIPE"]).toContain(status);
});

test("an address that does not exist is a problem, not a page", async () => {
  const { status, type } = await curl("nothing");
  expect({ status, type }).toEqual({ status: 404, type: "application/problem+json" });
});

test.each(["dashboard", "dashboard/"])("%s leads to the dashboard", async (path) => {
  expect(await curl(path)).toMatchObject({ status: 302, location: "/" });
  expect(await curl(path, "-L")).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
});

test.each(["x", "2", 0, -1, 1.5, true, {}])(
  "a body with %j for a number of copies or a time is refused",
  async (value) => {
    const bodies = {
      "v1/pipelines": { url: "data", copies: value },
      "v1/pulls": { url: "data", sources: [], idleMs: value },
    };
    for (const [path, body] of Object.entries(bodies))
      expect(await curl(path, ...JSON_BODY, JSON.stringify(body)), path).toMatchObject({
        status: 400,
        body: expect.stringContaining("expected a whole number from 1 on"),
      });
  },
);
