/** Nodes that are asked to stop, with real signals, and clients that are killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { RemoteData, type Client, type Job } from "kitchensink";
import { gone } from "../../support/cli.ts";
import { nodeProcesses, type NodeInProcess, type NodeProcesses } from "../../support/node-processes.ts";
import { useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { deaf, onlyAnew, untilThere, yieldUntilThere } from "../fixtures/jobs.mjs";

const redis = useStore("redis");
let clusters = 0;
const processes = (): NodeProcesses => nodeProcesses(redis().redisConnection ?? "");
const cluster = (): string[] => ["--cluster", `stopping-${++clusters}`];

const file = (name: string): string => join(temporaryDirectory(), name);
const isRunning = (job: Job<unknown>): Promise<void> =>
  vi.waitFor(async () => expect(await job.status()).toMatchObject({ state: "running" }), 10_000);
const isThere = (path: string): Promise<void> =>
  vi.waitFor(() => expect(existsSync(path)).toBe(true), 10_000);
const saysStopping = (node: NodeInProcess): Promise<void> =>
  vi.waitFor(() => expect(node.command.stderr).toContain("Stopping"), 10_000);

describe("SIGTERM", () => {
  test(
    "fault 29: nothing more is claimed, what ends within the grace has its result, the rest goes to the other node unharmed",
    { timeout: 60_000 },
    async () => {
      const place = processes();
      const flags = cluster();
      const one = await place.start("node1", [...flags, "--num-workers", "4", "--grace", "4s"]);
      const here = place.connect(one);
      const [go, begun] = [file("go"), file("begun")];
      const short = here.call(untilThere, go);
      const long = here.call(onlyAnew, begun);
      const stream = here.call(yieldUntilThere, go);
      await Promise.all([isRunning(short), isRunning(long), isRunning(stream), isThere(begun)]);
      const two = await place.start("node2", flags);
      const there = place.connect(two);
      const items = (await there.job<AsyncIterable<string>>(stream.id))[Symbol.asyncIterator]();
      expect(await items.next()).toEqual({ done: false, value: "node1" });

      one.command.kill("SIGTERM");
      await saysStopping(one);
      // It has a worker that is free, and this is for it alone.
      const late = there.with({ node: "node1" }).call(untilThere, go);
      const anywhere = there.call(untilThere, go);
      await isRunning(anywhere);
      expect(await late.status()).toMatchObject({ state: "queued" });
      writeFileSync(go, "");
      expect(await there.job(short.id)).toEqual({ node: "node1", attempt: 1 });
      expect(await items.next()).toEqual({ done: false, value: "node1" });
      expect((await items.next()).done).toBe(true);
      expect(await anywhere).toMatchObject({ node: "node2" });
      expect(await one.command.exited).toBe(0);

      expect(await there.job(long.id)).toEqual({ node: "node2", attempt: 2 });
      expect(await there.job(long.id).status()).toMatchObject({ state: "succeeded", deaths: 0 });
      expect((await there.nodes()).map(({ name }) => name)).toEqual(["node2"]);
      expect(await late.status()).toMatchObject({ state: "queued" });
      await gone([Number(readFileSync(begun, "utf8"))]);
      await place.start("node1", flags);
      expect(await late).toEqual({ node: "node1", attempt: 1 });
    },
  );

  test(
    "fault 29: instant calls that end within the grace are answered; those that do not are told that the node is leaving",
    { timeout: 40_000 },
    async () => {
      const place = processes();
      const one = await place.start("node1", [...cluster(), "--instant-workers", "2", "--grace", "3s"]);
      const client = place.connect(one).with({ async: false });
      const [go, begun, never] = [file("go"), file("begun"), file("never")];
      const short = client.call(
        async (begunFile: string, goFile: string) => {
          const { existsSync: exists, writeFileSync: write } = process.getBuiltinModule("node:fs");
          write(begunFile, "");
          while (!exists(goFile)) await new Promise((resolve) => setTimeout(resolve, 10));
          return "in time";
        },
        begun,
        go,
      );
      const endless = client.call(deaf, never);
      const end = expect(endless).rejects.toMatchObject({
        code: "KS_UNAVAILABLE",
        message: expect.stringContaining("node1 is leaving"),
      });
      await Promise.all([isThere(begun), isThere(never)]);
      one.command.kill("SIGTERM");
      await saysStopping(one);
      writeFileSync(go, "");
      expect(await short).toBe("in time");
      await end;
      expect(await one.command.exited).toBe(0);
      await gone([Number(readFileSync(never, "utf8"))]);
    },
  );

  test(
    "fault 29: an upload and a download that are under way come to their ends",
    { timeout: 40_000 },
    async () => {
      const place = processes();
      const flags = cluster();
      const one = await place.start("node1", [...flags, "--grace", "20s"]);
      const client = place.connect(one);
      // More than the buffers of a connection hold.
      const bytes = Buffer.alloc(30_000_000, "0123456789");
      await new RemoteData({ raw: bytes, client }).save({ url: "down" });
      const ask = (method: string, url: string, length?: number): ClientRequest =>
        request(new URL(`/v1/data/${url}`, one.url), {
          method,
          headers: {
            authorization: `Bearer ${place.token}`,
            "content-type": "application/octet-stream",
            ...(length === undefined ? {} : { "content-length": length }),
          },
        });
      const download = ask("GET", "down").end();
      const [answer] = (await once(download, "response")) as [IncomingMessage];
      const upload = ask("PUT", "up", bytes.length);
      upload.write(bytes.subarray(0, 1_000_000));
      const incoming = join(place.directory("node1"), ".kitchensink/incoming");
      await vi.waitFor(() => expect(readdirSync(incoming)).toHaveLength(1), 10_000);

      one.command.kill("SIGTERM");
      await saysStopping(one);
      let received = 0;
      for await (const chunk of answer) received += (chunk as Buffer).length;
      expect(received).toBe(bytes.length);
      upload.end(bytes.subarray(1_000_000));
      const [saved] = (await once(upload, "response")) as [IncomingMessage];
      expect(saved.statusCode).toBe(201);
      saved.resume();
      expect(await one.command.exited).toBe(0);
      const [again] = [await place.start("node1", flags)];
      const kept = await new RemoteData({ dataUrl: "up", client: place.connect(again) }).raw();
      expect(Buffer.compare(Buffer.from(kept), bytes)).toBe(0);
    },
  );
});

test(
  "fault 30: a second SIGTERM kills what runs, gives it back without a death, and exits with 1",
  { timeout: 40_000 },
  async () => {
    const place = processes();
    const flags = cluster();
    const one = await place.start("node1", [...flags, "--num-workers", "2", "--grace", "1h"]);
    const here = place.connect(one);
    const [begun, never] = [file("begun"), file("never")];
    const job = here.call(onlyAnew, begun);
    const instant = here.with({ async: false }).call(deaf, never);
    const end = expect(instant).rejects.toMatchObject({
      code: expect.stringMatching(/KS_UNAVAILABLE|KS_CONNECTION_LOST/),
    });
    await Promise.all([isThere(begun), isThere(never)]);
    const two = await place.start("node2", flags);
    const there = place.connect(two);
    one.command.kill("SIGTERM");
    await saysStopping(one);
    one.command.kill("SIGTERM");
    expect(await one.command.exited).toBe(1);
    await gone([begun, never].map((path) => Number(readFileSync(path, "utf8"))));
    await end;
    expect(await there.job(job.id)).toEqual({ node: "node2", attempt: 2 });
    expect(await there.job(job.id).status()).toMatchObject({ deaths: 0 });
  },
);

const CLIENT = `
import { Client } from "kitchensink";
import { printSlowly } from ${JSON.stringify(fileURLToPath(new URL("../fixtures/jobs.mjs", import.meta.url)))};
const c = new Client(process.argv[1]);
const job = c.with({ output: "off" }).call(printSlowly, 100);
await job.status();
console.log(job.id);
await job;
`;

test(
  "fault 33: a client is killed: its job lives, and another one reads its result and all of its output by the id",
  { timeout: 40_000 },
  async () => {
    const place = processes();
    const flags = cluster();
    const [one, two] = await Promise.all([
      place.start("node1", flags),
      place.start("node2", [...flags, "--queue", "none"]),
    ]);
    const child = spawn(process.execPath, ["--input-type=module", "-e", CLIENT, one.url], {
      env: { PATH: process.env["PATH"], KITCHENSINK_TOKEN: place.token },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    const id = said.toString().trim();
    // By way of another node than the one that runs it.
    const client: Client = place.connect(two);
    await vi.waitFor(
      async () => expect(await client.job(id).status()).toMatchObject({ state: "running" }),
      10_000,
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    let output = "";
    for await (const { text } of client.job(id).output()) output += text;
    expect(output.trimEnd().split("\n")).toEqual(Array.from({ length: 100 }, (_, line) => `line ${line}`));
    expect(await client.result(id)).toBe(100);
    expect(await client.job(id).status()).toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });
  },
);
