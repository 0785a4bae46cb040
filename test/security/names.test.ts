/** Names that every object of JavaScript has. */
import { fileURLToPath } from "node:url";
import { type Client, RemoteData } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeSpec, encodeSubmission, MEDIA_TYPE } from "../../src/codec/wire.ts";
import { newJobId } from "../../src/client/calls/new-job-id.ts";
import type { JobSpec } from "../../src/core/messages.ts";
import { authorized, JSON_TYPE, send, type Answer } from "./support/attacker.ts";

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
const NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "prototype",
  "__defineGetter__",
];
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ modules: [FUNCTIONS] });
});
afterAll(() => cluster.close());

const post = (path: string, body: string | Uint8Array, type = JSON_TYPE["content-type"]): Promise<Answer> =>
  send(cluster.urls[0]!, {
    method: "POST",
    path,
    headers: { ...authorized(cluster), "content-type": type },
    body,
  });
const get = (path: string): Promise<Answer> => send(cluster.urls[0]!, { path, headers: authorized(cluster) });

describe.each(NAMES)("%s", (name) => {
  test(`attack 8: ${name} is not found, as a function or as a namespace`, async () => {
    for (const path of [
      `/rpc/test/${name}`,
      `/rpc/${name}/add`,
      `/rpc/${name}/${name}`,
      `/rpc/default/${name}`,
    ]) {
      const { status, body } = await post(path, "[]");
      expect(status, path).toBe(404);
      expect(JSON.parse(body)).toMatchObject({ code: "KS_UNKNOWN_FUNCTION" });
    }
    expect((await get(`/v1/functions/${name}`)).status).toBe(404);
    const unknown = { code: "KS_UNKNOWN_FUNCTION" };
    await expect(cluster.client.call(name)).rejects.toMatchObject(unknown);
    await expect(cluster.client.with({ async: false }).call(name)).rejects.toMatchObject(unknown);
    await expect(cluster.client.with({ rpcName: name }).call("add", 1, 2)).rejects.toMatchObject(unknown);
    await expect(cluster.client.functions(name)).rejects.toMatchObject(unknown);
  });

  test(`attack 8: no codec, node, job, upload or part is called ${name}`, async () => {
    const spec: JobSpec = {
      namespace: "test",
      name: "add",
      label: name,
      units: [],
      codec: name,
      fn: null,
      args: Buffer.from("[1,2]"),
      timeoutMs: 0,
      retries: 0,
      streamsOutput: false,
      retryDelayMs: 0,
      ttlMs: 0,
      isIdempotent: true,
      after: [],
      trace: null,
    };
    const job = { id: newJobId(), queue: "default", priority: 0, spec: encodeSpec(spec), inputs: [] };
    const submission = encodeSubmission({ client: "12345678", units: new Map(), jobs: [job] });
    expect((await post("/v1/jobs", submission, MEDIA_TYPE)).status).toBe(202);
    await expect(cluster.client.result(job.id)).rejects.toMatchObject({ code: "KS_UNKNOWN_CODEC" });
    await expect(
      new RemoteData({ raw: Buffer.from("x"), client: cluster.client }).save({ node: name }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^KS_/) });
    for (const path of [`/v1/jobs/${name}`, `/v1/jobs/${name}/output`, `/v1/jobs/${name}/placement`])
      expect((await get(path)).status).toBe(400);
    expect((await post(`/v1/parts/${name}`, "{}")).status).toBe(400);
    expect((await post("/v1/cancel", JSON.stringify({ jobs: [name] }))).status).toBe(400);
  });

  test(`attack 8: data and namespaces may be called ${name}, and are nothing else then`, async () => {
    const saved = await new RemoteData({ obj: [name], client: cluster.client }).save({
      url: `${name}/${name}`,
    });
    expect(await saved.obj()).toEqual([name]);
    expect(await cluster.client.data.search(`${name}/*`)).toEqual([`${name}/${name}`]);
    await expect(cluster.client.data.info(name)).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
    expect(await cluster.client.with({ rpcName: name }).call((x: number) => x + 1, 1)).toBe(2);
    expect(
      await cluster.client.with({ rpcName: name }).call(() => typeof ({} as { polluted?: unknown }).polluted),
    ).toBe("undefined");
  });
});

test.each([
  ["/v1/cancel", '{"__proto__":{"jobs":"all"}}'],
  ["/v1/cancel", '{"constructor":{"prototype":{"jobs":"all"}}}'],
  ["/v1/watch", '{"__proto__":{"client":"12345678","jobs":[]}}'],
  ["/v1/watch", '{"client":"12345678","jobs":[{"__proto__":{"id":"01890000-0000-7000-8000-000000000000"}}]}'],
  ["/v1/catalog", '{"__proto__":{"urls":[]}}'],
  ["/v1/pipelines", '{"__proto__":{"url":"a"}}'],
  ["/v1/looks", '{"__proto__":{"url":"a"}}'],
  ["/v1/pulls", '{"url":"a","__proto__":{"sources":[]}}'],
  ["/v1/adopt", '{"__proto__":{"patterns":["**"]}}'],
  ["/v1/local", '{"__proto__":{"url":"a"}}'],
  ["/v1/parts/x", '{"__proto__":{"url":"a","size":1}}'],
])("attack 8: in a body for %s, what is inherited does not count: %s", async (path, body) => {
  expect((await post(path, body)).status).toBe(400);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("attack 8: arguments with such keys arrive as data, and nothing of theirs anywhere else", async () => {
  const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":3}';
  const { body } = await post("/rpc/test/echo", `[${text}]`);
  expect(body).toBe(text);
  for (const codec of ["json", "structured", "closure"]) {
    const value: unknown = JSON.parse(text);
    const client: Client = cluster.client.with({ rpcName: "test", codec });
    const echoed = await client.call("echo", value);
    expect(JSON.stringify(echoed), codec).toBe(text);
    expect(Object.getPrototypeOf(echoed)).toBe(Object.prototype);
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  const { body: after } = await post("/rpc/test/polluted", "[]");
  expect(after).toBe("[]");
});
