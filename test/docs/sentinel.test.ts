/** The servers and sentinels of docs/operations.md start from the settings there, and a node goes along with them. */
import { Redis } from "ioredis";
import { Client } from "kitchensink";
import { expect, onTestFinished, test } from "vitest";
import { freePort, startServer, type TestServer } from "../store/support/redis.ts";
import { until } from "../store/support/redis-cluster.ts";
import { startNodeProcess } from "../support/cli.ts";
import { blocksOf } from "./support/markdown.ts";

const PASSWORD = "hush";
const MASTER_NAME = "kitchensink";
const blocks = blocksOf("docs/operations.md");

/** A file of the page, with a name and ports of this machine, and a password. */
function fileOf(name: string, ports: Readonly<Record<string, number>>): string {
  const { text = "" } = blocks.find(({ tag }) => tag === `file=${name}`) ?? {};
  expect(text, name).not.toBe("");
  const here = Object.entries(ports).reduce(
    (file, [host, port]) =>
      file.replaceAll(new RegExp(`\\b${host}\\.internal([ :])\\d+`, "g"), `localhost$1${port}`),
    text,
  );
  return here
    .replaceAll(/\w+\.internal/g, "localhost")
    .replaceAll("bind * -::*", "bind 127.0.0.1 -::1")
    .replaceAll(/…|(?<=:)password(?=@)/g, PASSWORD);
}

async function start(
  file: string,
  port: number,
  how: { args?: string[]; ready?: RegExp } = {},
): Promise<TestServer> {
  const server = await startServer({ args: how.args ?? [], ...how, file: `${file}\nport ${port}\n` });
  onTestFinished(() => server.stop());
  return server;
}

function connect(port: number, password?: string): Redis {
  const redis = new Redis({ host: "127.0.0.1", port, ...(password === undefined ? {} : { password }) });
  // Of a server that is killed, no news.
  redis.on("error", () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

test("servers and sentinels start from the page's settings, and a node started from them survives a failover", async () => {
  const [redis1, redis2, s1, s2, s3] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const ports = { redis1, s1, s2, s3 };
  const every = ["redis.conf", "failover.conf"].map((name) => fileOf(name, ports)).join("\n");
  // The first sync need not wait for other replicas.
  const args = ["--repl-diskless-sync-delay", "0"];
  const master = await start(every, redis1, { args });
  await start(`${every}\n${fileOf("replica.conf", ports)}`, redis2, { args });
  await Promise.all(
    [s1, s2, s3].map((port) =>
      start(fileOf("sentinel.conf", ports), port, { args: ["--sentinel"], ready: /\+monitor/ }),
    ),
  );
  const [, address = ""] = /^KITCHENSINK_REDIS=(.*)$/m.exec(fileOf("env", ports)) ?? [];
  const agreed = [s1, s2, s3].map((port) => {
    const sentinel = connect(port);
    const others = async (): Promise<boolean> => {
      const facts = String(await sentinel.call("SENTINEL", "MASTER", MASTER_NAME));
      return facts.includes("num-slaves,1") && facts.includes("num-other-sentinels,2");
    };
    return until(others);
  });
  const [node] = await Promise.all([
    startNodeProcess(["--no-redis"], { KITCHENSINK_REDIS: address }),
    ...agreed,
  ]);
  expect(node.stdout).toContain(
    `redis+sentinel://localhost:${s1},localhost:${s2},localhost:${s3}/${MASTER_NAME}`,
  );
  expect(node.stdout + node.stderr).not.toContain(PASSWORD);
  const client = new Client(node.url, { token: node.token, output: "off" });
  onTestFinished(() => client.close());
  expect(await client.call(() => 1)).toBe(1);

  await master.stop();
  const replica = connect(redis2, PASSWORD);
  await until(async () => (await replica.info("replication")).includes("role:master"));
  await until(async () => (await client.call(() => 2).catch(() => 0)) === 2, 30_000);
  const asked = connect(s1);
  // Told as a name, and so taken by the node.
  const told = async (): Promise<string> =>
    String(await asked.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME));
  await until(async () => (await told()) === `localhost,${redis2}`);

  // The old master comes back, and is told what sentinels tell it after 8 s.
  await start(every, redis1, { args });
  const old = connect(redis1, PASSWORD);
  await old.replicaof("localhost", redis2);
  await until(async () => (await old.info("replication")).includes("master_link_status:up"));
});
