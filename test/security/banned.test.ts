/** Captured functions where they are banned. */
import { fileURLToPath } from "node:url";
import { registerCodec, RemoteData, type Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captureParts, type CodeUnit } from "../../src/capture/capture.ts";
import { newJobId } from "../../src/client/calls/new-job-id.ts";
import { encodeSpec, encodeSubmission, MEDIA_TYPE } from "../../src/codec/wire.ts";
import type { JobId, UnitHash } from "../../src/core/ids.ts";
import type { JobSpec } from "../../src/core/messages.ts";
import { nodeProcesses } from "../support/node-processes.ts";
import { useStore } from "../support/stores.ts";
import { authorized, send, type Answer } from "./support/attacker.ts";

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
const BANNED = { code: "KS_ARBITRARY_BANNED" };

/** A cluster that bans them everywhere, and one where the namespace `test` does. */
const clusters: Record<"everywhere" | "in a namespace", Cluster> = {} as never;
beforeAll(async () => {
  registerCodec({
    name: "reversed",
    encode: (value) => Buffer.from(Buffer.from(JSON.stringify(value)).toReversed()),
    decode: (bytes) => JSON.parse(Buffer.from(bytes.toReversed()).toString()) as unknown,
  });
  clusters.everywhere = await startCluster({ modules: [FUNCTIONS], arbitrary: false });
  clusters["in a namespace"] = await startCluster({ modules: [FUNCTIONS] });
});
afterAll(() => Promise.all(Object.values(clusters).map((cluster) => cluster.close())));

const GARBAGE = Buffer.from("\x04this is no captured function, and no code unit either");
const UNIT = "A".repeat(43) as UnitHash;

function specOf(parts: Partial<JobSpec>): JobSpec {
  return {
    namespace: "test",
    name: "add",
    label: "attack",
    units: [],
    codec: "closure",
    fn: null,
    args: Buffer.from("\x01\x92\x01\x02", "latin1"),
    timeoutMs: 0,
    retries: 0,
    streamsOutput: false,
    retryDelayMs: 0,
    ttlMs: 0,
    isIdempotent: true,
    after: [],
    trace: null,
    ...parts,
  };
}

describe.each(["everywhere", "in a namespace"] as const)("banned %s", (where) => {
  const banned = (): Client => clusters[where].client.with({ rpcName: "test" });

  const submit = (
    path: string,
    spec: JobSpec,
    { id = newJobId(), units = [] }: { id?: JobId; units?: Iterable<readonly [UnitHash, Uint8Array]> } = {},
  ): Promise<Answer> =>
    send(clusters[where].urls[0]!, {
      method: "POST",
      path,
      headers: { ...authorized(clusters[where]), "content-type": MEDIA_TYPE },
      body: encodeSubmission({
        client: "12345678",
        units: new Map(units),
        jobs: [{ id, queue: "default", priority: 0, spec: encodeSpec(spec), inputs: [] }],
      }),
    });

  /** What comes of a job that the node let in. */
  const result = async (spec: JobSpec, units: readonly CodeUnit[] = []): Promise<unknown> => {
    const id = newJobId();
    const all = units.map(({ hash, bytes }) => [hash, bytes] as const);
    expect((await submit("/v1/jobs", spec, { id, units: all })).status).toBe(202);
    return await clusters[where].client.result(id);
  };

  test(`attack 7: ${where}: calls with captured functions are refused, queued or instant, alone or in a batch`, async () => {
    for (const client of [banned(), banned().with({ async: false })]) {
      await expect(client.call(() => 1)).rejects.toMatchObject(BANNED);
      await expect(client.call("add", () => 1, 2)).rejects.toMatchObject(BANNED);
      await expect(
        client.call(
          "add",
          {
            deep: [
              class Some {
                readonly a = 1;
              },
            ],
          },
          2,
        ),
      ).rejects.toMatchObject(BANNED);
    }
    const batch = [banned().call("add", 1, 2), banned().call(() => 1)];
    const ends = await Promise.allSettled(batch);
    // The client sends what was not refused for itself once more.
    expect(ends).toMatchObject([
      { status: "fulfilled", value: 3 },
      { status: "rejected", reason: { code: "KS_ARBITRARY_BANNED" } },
    ]);
  });

  test.each(["/v1/jobs", "/v1/instant"])(
    `attack 7: ${where}: %s answers 403 before a byte of the function is decoded: they may be anything`,
    async (path) => {
      for (const [spec, units] of [
        [specOf({ name: null, fn: GARBAGE }), new Map()],
        [specOf({ name: null, fn: new Uint8Array() }), new Map()],
        [specOf({ name: null, fn: GARBAGE, units: [UNIT] }), new Map([[UNIT, GARBAGE]])],
        [specOf({ units: [UNIT], args: GARBAGE }), new Map([[UNIT, GARBAGE]])],
        [specOf({ units: [UNIT], codec: "json", args: GARBAGE }), new Map()],
      ] as const) {
        const { status, body } = await submit(path, spec, { units });
        expect({ status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
          status: 403,
          ...BANNED,
        });
      }
    },
  );

  test(`attack 7: ${where}: code that hides in the bytes of arguments is refused by the worker, unrevived`, async () => {
    const { graph, units } = captureParts(() => globalThis.process.exit(3));
    const hidden = captureParts([() => globalThis.process.exit(3), 1]);
    // The units are not named, so the node cannot know of them.
    for (const args of [graph, hidden.graph, GARBAGE])
      await expect(result(specOf({ args }), [...units, ...hidden.units])).rejects.toMatchObject(BANNED);
    // So is anything that is revived by more than reading data, even where no code unit comes with it.
    await expect(banned().call("add", new URL("http://localhost/"), 2)).rejects.toMatchObject(BANNED);
    await expect(banned().call("add", globalThis.Function, 2)).rejects.toMatchObject(BANNED);
    await expect(banned().call("echo", new Proxy({}, {}))).rejects.toMatchObject(BANNED);
  });

  test(`attack 7: ${where}: a captured function as bytes of another codec is no function`, async () => {
    const { graph, units } = captureParts(() => globalThis.process.exit(3));
    for (const codec of ["json", "structured", "reversed"]) {
      const error = await result(specOf({ codec, args: graph }), units).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toMatchObject({ code: "KS_WORKER_LOST" });
    }
  });

  test(`attack 7: ${where}: data that brings code along is not decoded for a function there`, async () => {
    const { client } = clusters[where];
    const code = await new RemoteData({ obj: { run: () => 1 }, client }).save({ url: `code/${where[0]}` });
    const plain = await new RemoteData({ obj: { run: 1 }, client }).save({ url: `plain/${where[0]}` });
    await expect(banned().call("open", code)).rejects.toMatchObject(BANNED);
    expect(await banned().call("open", plain)).toEqual({ run: 1 });
  });

  test(`attack 7: ${where}: registered functions still work, with data, pointers and every codec`, async () => {
    for (const codec of ["closure", "structured", "json", "reversed"]) {
      expect(await banned().with({ codec }).call("add", 1, 2)).toBe(3);
      expect(await banned().with({ codec, async: false }).call("add", 1, 2)).toBe(3);
    }
    expect(await banned().call("echo", new Map([[1, new Date(0)]]))).toEqual(new Map([[1, new Date(0)]]));
  });
});

test("attack 7: a ban in one namespace leaves others as they were; one everywhere leaves none", async () => {
  expect(await clusters["in a namespace"].client.call(() => 1)).toBe(1);
  for (const rpcName of ["default", "other", "test"])
    await expect(clusters.everywhere.client.with({ rpcName }).call(() => 1)).rejects.toMatchObject(BANNED);
});

describe("nodes that differ", () => {
  const store = useStore("redis");
  test("attack 7: a job that came in by a node that allows it does not run on one that does not", async () => {
    const nodes = nodeProcesses(store().redisConnection!);
    const open = await nodes.start("node1");
    await nodes.start("node2", ["--no-arbitrary"]);
    const client = nodes.connect(open);
    expect(await client.with({ node: "node1" }).call(() => 1)).toBe(1);
    await expect(client.with({ node: "node2" }).call(() => 1)).rejects.toMatchObject(BANNED);
  });
});
