import { beforeEach, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { Client } from "../../src/client/client.ts";
import { findPointers } from "../../src/client/calls/find-pointers.ts";
import { setDataAccess } from "../../src/client/remote-data/data-access.ts";
import { setupClient } from "../../src/client/default-client.ts";
import type { Job } from "../../src/client/jobs/job.ts";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";
import { registerCodec } from "../../src/codec/codec.ts";
import { DataServer } from "./support/data-server.ts";
import { submittedInputs } from "./support/job-runner.ts";

let server: DataServer;
let c: Client;
beforeEach(async () => {
  server = await DataServer.start();
  c = new Client(server.url);
  // The jobs run in this process, and reach data as a worker does: by what is there for the whole process.
  setDataAccess(c.data.access);
  onTestFinished(async () => {
    setDataAccess(undefined);
    await c.close();
  });
});

const inputs = (): readonly string[] => submittedInputs.at(-1) ?? [];

registerCodec({
  name: "lengths",
  encode: (value) => Buffer.from(JSON.stringify([JSON.stringify(value).length])),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
});

test("a saved one arrives in a call's arguments, and the call tells of its url", async () => {
  const data = await new RemoteData({ obj: [1, 2, 3], client: c }).save({ url: "numbers" });
  const job = c.call(async (table: RemoteData<number[]>) => (await table.obj()).length, data);
  expectTypeOf(job).toEqualTypeOf<Job<number>>();
  expect(await job).toBe(3);
  expect(inputs()).toEqual(["numbers"]);
});

test("one that comes back reaches its data by the client that got it", async () => {
  setDataAccess(undefined);
  const data = await new RemoteData({ obj: [1, 2, 3], client: c }).save({ url: "numbers" });
  const job = c.call((table: RemoteData<number[]>) => ({ table }), data);
  expectTypeOf(job).toEqualTypeOf<Job<{ table: RemoteData<number[]> }>>();
  const { table } = await job;
  expect(table).toBeInstanceOf(RemoteData);
  expect(table).not.toBe(data);
  expect(await table.obj()).toEqual([1, 2, 3]);
});

test.each(["json", "structured"])("in the codec %s it is an object of one key", async (codec) => {
  const data = await new RemoteData({ obj: [1], client: c }).save({ url: "numbers" });
  const typed = c.with({ codec });
  const back = await typed.call<{ all: RemoteData<number[]>[] }>("echo", { all: [data, data] });
  expect(inputs()).toEqual(["numbers"]);
  expect(back.all.map((one) => one.dataUrl)).toEqual(["numbers", "numbers"]);
  expect(back.all[0]).toBeInstanceOf(RemoteData);
  expect(await back.all[0]!.obj()).toEqual([1]);
  const unsaved = new RemoteData({ obj: 1 });
  expect(() => typed.call("echo", { table: [unsaved] })).toThrow(
    "Cannot send the RemoteData at args[0].table[0]: it is not saved (await its save() first)",
  );
});

test.each(["closure", "json", "structured"])(
  "the codec that a pointer was given for a file travels with it in the codec %s",
  async (codec) => {
    server.put("rows.json", Buffer.from("[1,2]"));
    const rows = new RemoteData<number[]>({ dataUrl: "rows.json", codec: "json", client: c });
    const back = await c.with({ codec }).call<{ rows: RemoteData<number[]> }>("echo", { rows });
    expect(back.rows).toMatchObject({ dataUrl: "rows.json", codec: "json" });
    expect(await back.rows.obj()).toEqual([1, 2]);
    expect(inputs()).toEqual(["rows.json"]);
  },
);

test("a function reads a file by the codec of the pointer that it captured, or that it is applied to", async () => {
  server.put("rows.json", Buffer.from("[1,2]"));
  const rows = new RemoteData<number[]>({ dataUrl: "rows.json", codec: "json", client: c });
  expect(await c.call(async () => (await rows.obj()).length)).toBe(2);
  expect(await (await rows.apply((all) => all.length)).obj()).toBe(2);
});

test("what JSON.stringify writes of a pointer makes the same one again", () => {
  const plain = new RemoteData({ dataUrl: "numbers" });
  const typed = new RemoteData({ dataUrl: "rows.json", codec: "json" });
  expect(JSON.stringify([plain, typed])).toBe(
    '[{"dataUrl":"numbers"},{"dataUrl":"rows.json","codec":"json"}]',
  );
});

test("the codec structured keeps what is around it as it is", async () => {
  const data = new RemoteData({ dataUrl: "numbers" });
  const cycle: { data: RemoteData; self?: unknown } = { data };
  cycle.self = cycle;
  const sparse: unknown[] = [];
  sparse[2] = data;
  const value = { cycle, map: new Map<unknown, unknown>([[data, new Set([data])]]), sparse, at: new Date(5) };
  const error = new TypeError("no", { cause: { data } });
  type Value = typeof value & { error: Error & { cause: { data: RemoteData } } };
  const back = await c.with({ codec: "structured" }).call<Value>("echo", { ...value, error });
  expect(back.cycle.self).toBe(back.cycle);
  expect([...back.map.keys()]).toEqual([back.cycle.data]);
  expect([...back.map.values()]).toEqual([new Set([back.cycle.data])]);
  expect(1 in back.sparse).toBe(false);
  expect(back.sparse).toHaveLength(3);
  expect(back.sparse[2]).toBe(back.cycle.data);
  expect(back.at).toEqual(new Date(5));
  expect(back.error).toBeInstanceOf(TypeError);
  expect(back.error.cause.data).toBe(back.cycle.data);
});

test.each(["json", "structured"])("an object of the user's that looks like one is refused by %s", (codec) => {
  const lookalike = { "kitchensink:data": "x" };
  expect(() => c.with({ codec }).call("echo", [lookalike])).toThrow(
    /stands for remote data; add another key/,
  );
  expect(() => c.with({ codec }).call("echo", [{ ...lookalike, "kitchensink:codec": "json" }])).toThrow(
    /stands for remote data; add another key/,
  );
  expect(() => c.with({ codec }).call("echo", { ...lookalike, more: 1 })).not.toThrow();
  expect(() => c.with({ codec }).call("echo", { ...lookalike, "kitchensink:codec": 5 })).not.toThrow();
  expect(() => c.with({ codec }).call("echo", { "kitchensink:data": 5 })).not.toThrow();
});

test("with a codec of the user's, urls are found in plain objects, arrays, Maps and Sets", async () => {
  const [a, b, d] = ["a", "b", "d"].map((dataUrl) => new RemoteData({ dataUrl }));
  await c.with({ codec: "lengths" }).call("echo", { a: [a] }, new Map([[b, new Set([d, a])]]));
  expect(inputs().toSorted()).toEqual(["a", "b", "d"]);
  expect(() => c.with({ codec: "lengths" }).call("echo", [new RemoteData({ obj: 1 })])).toThrow(
    /Cannot send the RemoteData at args\[0\]\[0\]: it is not saved/,
  );
});

test("with a codec of the user's, urls are found however deep, and among however many values", () => {
  const at = (dataUrl: string): RemoteData => new RemoteData({ dataUrl });
  let deep: unknown = at("deep");
  for (let level = 0; level < 1_000; level++) deep = level % 2 === 0 ? { deep } : [deep];
  const many: unknown[] = Array.from({ length: 100_000 }, (_, id) => ({ id }));
  many.push(at("last"));
  const cycle: unknown[] = [];
  cycle.push(cycle, new Map([[at("in a cycle"), cycle]]));
  const shared = Array.from({ length: 1_000 }, () => many);
  expect(findPointers([deep, shared, cycle], "args").toSorted()).toEqual(["deep", "in a cycle", "last"]);
  const unsaved = new Map([["rows", [new Set([{ table: new RemoteData({ obj: 1 }) }])]]]);
  expect(() => findPointers([[[[[[[[[[unsaved]]]]]]]]]], "args")).toThrow(
    "Cannot send the RemoteData at args[0][0][0][0][0][0][0][0][0][0].get(rows)[0]<item>.table: it is not saved",
  );
});

test("with routeData false no urls are told, and what is not saved is refused all the same", async () => {
  const data = new RemoteData({ dataUrl: "x" });
  const unrouted = c.with({ routeData: false });
  await unrouted.call((table: RemoteData) => table.dataUrl, data);
  expect(inputs()).toEqual([]);
  expect(() => unrouted.call((table: RemoteData) => table.dataUrl, new RemoteData({ obj: 1 }))).toThrow(
    /not saved/,
  );
});

test("a call that points to too much says what can be done", async () => {
  const many = Array.from({ length: 1_001 }, (_, at) => new RemoteData({ dataUrl: `many/${at}` }));
  expect(() => c.call((all: RemoteData[]) => all.length, many)).toThrow(
    /points to 1001 different data.*routeData: false/,
  );
  expect(await c.with({ routeData: false }).call((all: RemoteData[]) => all.length, many)).toBe(1_001);
  const same = Array.from({ length: 2_000 }, () => new RemoteData({ dataUrl: "one" }));
  expect(await c.call((all: RemoteData[]) => all.length, same)).toBe(2_000);
});

test("every call of a map tells of what the function and its item point to", async () => {
  const shared = new RemoteData({ dataUrl: "shared" });
  const items = ["x", "y"].map((dataUrl) => new RemoteData({ dataUrl }));
  submittedInputs.length = 0;
  expect(await c.map((item: RemoteData) => [shared.dataUrl, item.dataUrl].join(), items)).toEqual([
    "shared,x",
    "shared,y",
  ]);
  expect(submittedInputs).toEqual([
    ["shared", "x"],
    ["shared", "y"],
  ]);
});

test("apply runs on the object, and what it returns stays on the cluster", async () => {
  const data = await new RemoteData({ obj: [3, 1, 2], client: c }).save({ url: "numbers" });
  const job = data.apply((all) => all.toSorted(), { url: "sorted" });
  expectTypeOf(job).toEqualTypeOf<Job<RemoteData<number[]>>>();
  const sorted = await job;
  expect(inputs()).toEqual(["numbers"]);
  expect(sorted.dataUrl).toBe("sorted");
  expect(server.data.has("sorted")).toBe(true);
  expect(await sorted.obj()).toEqual([1, 2, 3]);
  const total = await data.apply(async (all) => all.reduce((a, b) => a + b, 0), { prefix: "sums" });
  expectTypeOf(total).toEqualTypeOf<RemoteData<number>>();
  expect(total.dataUrl).toMatch(/^sums\//);
  expect(await total.obj()).toBe(6);
});

test("an object that was saved may point to other data", async () => {
  setDataAccess(undefined);
  const part = await new RemoteData({ obj: "part", client: c }).save({ url: "part" });
  const { dataUrl } = await new RemoteData({ obj: { parts: [part] }, client: c }).save({ url: "whole" });
  const whole = new RemoteData<{ parts: RemoteData<string>[] }>({ dataUrl: dataUrl!, client: c });
  expect(await (await whole.obj()).parts[0]!.obj()).toBe("part");
  await expect(new RemoteData({ obj: [new RemoteData({ obj: 1 })] }).raw()).rejects.toThrow(
    /the RemoteData at obj\[0\]: it is not saved/,
  );
});

test("without any client, the way to one is named", async () => {
  setDataAccess(undefined);
  await expect(new RemoteData({ dataUrl: "x" }).obj()).rejects.toThrow(
    /call setupClient\(url\) first, or give { client }/,
  );
  const second = setupClient(server.url);
  onTestFinished(async () => await second.close());
  await new RemoteData({ obj: 1 }).save({ url: "x" });
  expect(await new RemoteData({ dataUrl: "x" }).obj()).toBe(1);
});
