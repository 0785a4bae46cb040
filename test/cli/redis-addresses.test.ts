/** Every form that the address of a Redis has, as the command line takes it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, RemoteData } from "kitchensink";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeCertificates, tlsOptions, tlsSettings } from "../store/support/certificates.ts";
import { freePort, startServer } from "../store/support/redis.ts";
import { startRedisCluster } from "../store/support/redis-cluster.ts";
import { startSentinel } from "../store/support/redis-sentinel.ts";
import { runCommand, startNodeProcess } from "../support/cli.ts";

const PASSWORD = "hush-hush";
const SENTINEL_PASSWORD = "quiet-quiet";

const addresses = new Map<string, string>();
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
  ends.push(async () => rmSync(directory, { recursive: true, force: true }));
  // One server is reached in three ways.
  const single = async (): Promise<void> => {
    const certificates = makeCertificates(directory);
    const socket = join(directory, "redis.sock");
    const [port, tlsPort] = [await freePort(), await freePort()];
    const settings = {
      "--port": String(port),
      "--unixsocket": socket,
      "--requirepass": PASSWORD,
      ...tlsSettings(certificates, tlsPort),
    };
    const server = await startServer({ args: Object.entries(settings).flat() });
    ends.push(server.stop);
    const tls = new URLSearchParams(tlsOptions(certificates)).toString();
    addresses.set("redis", `redis://:${PASSWORD}@127.0.0.1:${port}/9`);
    addresses.set("rediss", `rediss://:${PASSWORD}@127.0.0.1:${tlsPort}/9?${tls}`);
    addresses.set("unix", `unix:${socket}?db=9&password=${PASSWORD}`);
  };
  const sentinel = async (): Promise<void> => {
    const started = await startSentinel({ password: PASSWORD, sentinelPassword: SENTINEL_PASSWORD });
    ends.push(started.stop);
    addresses.set("redis+sentinel", started.address);
  };
  const cluster = async (): Promise<void> => {
    const started = await startRedisCluster({ masters: 3, password: PASSWORD });
    ends.push(started.stop);
    addresses.set("redis+cluster", started.address);
  };
  const outcomes = await Promise.allSettled([single(), sentinel(), cluster()]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}, 120_000);
afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
});

/** What is shown of each address, and which queues its node serves. */
const FORMS: readonly (readonly [form: string, shown: RegExp, queues: readonly string[]])[] = [
  ["redis", /redis:\/\/127\.0\.0\.1:\d+\?db=9/, ["gpu", "default"]],
  ["rediss", /rediss:\/\/127\.0\.0\.1:\d+\?db=9&ca=\S+/, []],
  ["unix", /unix:\/\S+\/redis\.sock\?db=9/, []],
  ["redis+sentinel", /redis\+sentinel:\/\/127\.0\.0\.1:\d+\/mymaster\?db=9/, []],
  ["redis+cluster", /redis\+cluster:\/\/(?:127\.0\.0\.1:\d+,?){3}\?db=0/, []],
];

test.each(FORMS)(
  "a node starts on %s:, shows no password, calls, keeps data, and stops",
  async (form, shown, queues) => {
    const address = addresses.get(form) ?? "";
    const flags = queues.flatMap((queue) => ["--queue", queue]);
    // Clusters of different names share a Redis.
    const cluster = ["--cluster", form.replaceAll(/\W/g, "")];
    const node = await startNodeProcess(["--no-redis", "--redis-connection", address, ...cluster, ...flags]);
    expect(node.stdout).toMatch(new RegExp(`store +\\w+ [\\d.]+ at ${shown.source}\n`));
    expect(node.stdout).toMatch(new RegExp(`--redis-connection "${shown.source}" `));

    const client = new Client(node.url, { token: node.token, output: "off" });
    onTestFinished(() => client.close());
    expect(await client.call((a: number, b: number) => a + b, 1, 2)).toBe(3);
    const saved = await new RemoteData({ obj: { form }, client }).save({ url: "table" });
    expect(await client.call(async (table: typeof saved) => await table.obj(), saved)).toEqual({ form });
    expect(await new RemoteData({ dataUrl: "table", client }).obj()).toEqual({ form });

    if (queues.length > 0) {
      const at = { KITCHENSINK_URL: node.url, KITCHENSINK_TOKEN: node.token };
      const { stdout } = await runCommand(["nodes"], at);
      expect(stdout).toMatch(/^NAME.* QUEUES.*\n.* gpu,default .* ok\n$/);
      expect(await client.with({ queue: "gpu" }).call(() => "on the gpu")).toBe("on the gpu");
    }
    await client.close();
    node.kill("SIGTERM");
    expect(await node.exited).toBe(0);
    for (const secret of [PASSWORD, SENTINEL_PASSWORD]) {
      expect(node.stdout).not.toContain(secret);
      expect(node.stderr).not.toContain(secret);
    }
  },
);
