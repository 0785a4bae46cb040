import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { PROTOCOL_VERSION } from "../../src/core/version.ts";
import { startNodeProcess } from "../support/cli.ts";
import { Collected } from "../support/collect.ts";
import { Proxy } from "../support/proxy.ts";
import { TcpProxy, type Observer } from "../support/tcp-proxy.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { untilThere } from "./fixtures/jobs.mjs";
import { startRedis } from "../store/support/redis.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ numWorkers: 2 });
});
afterAll(() => cluster.close());

async function throughProxy(): Promise<{ proxy: Proxy; url: string }> {
  const proxy = await Proxy.to(Number(new URL(cluster.urls[0] ?? "").port));
  return { proxy, url: `http://127.0.0.1:${proxy.port}/` };
}

function clientAt(url: string, options: ConstructorParameters<typeof Client>[1] = {}): Client {
  const client = new Client(url, { token: cluster.token, output: "off", ...options });
  onTestFinished(() => client.close());
  return client;
}

test("a client whose connections are cut gets its results and output all the same, once", async () => {
  const { proxy, url } = await throughProxy();
  const output = new Collected();
  const c = clientAt(url, { output: output.sinks });
  const job = c.call(async () => {
    console.log("one");
    await new Promise((resolve) => setTimeout(resolve, 300));
    console.log("two");
    return "done";
  });
  await expect.poll(() => output.text("stdout")).toBe("one\n");
  proxy.cut();
  expect(await job).toBe("done");
  expect(output.text("stdout")).toBe("one\ntwo\n");
  expect(await c.call(() => "again")).toBe("again");
});

/** Loses the first answer to a call, and every connection with it. */
class LosingProxy extends TcpProxy {
  readonly onLost: Promise<void>;
  #lose!: () => void;
  #hasLost = false;

  constructor(port: number) {
    super({ port });
    this.onLost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  protected override observe(): Observer {
    let asked = "";
    return (chunk, isReply) => {
      if (!isReply) asked = chunk.toString("latin1");
      else if (asked.startsWith("POST /v1/jobs ") && !this.#hasLost) {
        this.#hasLost = true;
        this.refuse();
        this.#lose();
      }
    };
  }
}

test("a call whose answer is lost with the connection gets what the job printed meanwhile", async () => {
  const proxy = new LosingProxy(Number(new URL(cluster.urls[0] ?? "").port));
  await proxy.open();
  onTestFinished(() => proxy.close());
  const output = new Collected();
  const job = clientAt(`http://127.0.0.1:${proxy.port}/`, { output: output.sinks }).call(() =>
    console.log("one"),
  );
  await proxy.onLost;
  await expect
    .poll(
      () =>
        cluster.client
          .job(job.id)
          .status()
          .catch(() => undefined),
      { interval: 5 },
    )
    .toMatchObject({ state: "succeeded" });
  proxy.accept();
  await job;
  expect(output.text("stdout")).toBe("one\n");
});

test("a job that was let go while its node was out of reach is awaited anew, by whoever awaits it", async () => {
  const { proxy, url } = await throughProxy();
  const c = clientAt(url);
  const file = join(temporaryDirectory(), "go-on");
  const job = c.call(untilThere, file);
  const other = c.job(job.id);
  other.catch(() => {});
  await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  proxy.refuse();
  expect(await Promise.all([job.detach(), job.detach()])).toEqual([job.id, job.id]);
  proxy.accept();
  const ends = Promise.all([job, other]);
  writeFileSync(file, "");
  expect(await ends).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
});

test("status(), cancel() and output() work right after call()", async () => {
  const fresh = (): Client => clientAt(cluster.urls[0] ?? "");
  expect(
    await fresh()
      .call(() => 1)
      .status(),
  ).toMatchObject({ label: "anonymous" });
  const pieces: string[] = [];
  for await (const { text } of fresh()
    .call(() => console.log("hello"))
    .output())
    pieces.push(text);
  expect(pieces.join("")).toBe("hello\n");
  const job = fresh()
    .with({ queue: "nobody" })
    .call(() => 1);
  await job.cancel("at once");
  await expect(job).rejects.toMatchObject({
    code: "KS_CANCELLED",
    message: "The job was cancelled: at once",
  });
});

test("a call that was made before close() is made", async () => {
  const c = clientAt(cluster.urls[0] ?? "");
  const job = c.call(() => "made");
  await c.close();
  await expect(job).rejects.toMatchObject({ code: "KS_CONNECTION_LOST" });
  expect(await cluster.client.result(job.id)).toBe("made");
  expect(() => c.call(() => 1)).toThrow(/closed: make a new one/);
});

test("an instant call's result over the limit is refused with the limit, and its worker lives", async () => {
  const c = cluster.client.with({ async: false });
  const pid = await c.call(() => process.pid);
  const refused = await c
    .call(() => Buffer.alloc(65 * 1024 * 1024, 1))
    .then(
      () => "it came",
      (error: unknown) => error,
    );
  expect(refused).toMatchObject({
    code: "KS_TOO_LARGE",
    message: expect.stringMatching(/6[56] MiB.*limit is 64 MiB/),
  });
  expect(await c.call(() => process.pid)).toBe(pid);
});

test("instant calls that go on and on hold nothing else of their client up", async () => {
  const c = clientAt(cluster.urls[0] ?? "");
  const endless = Array.from({ length: 40 }, () =>
    c.with({ async: false }).call(() => new Promise(() => {})),
  );
  const ends = Promise.allSettled(endless);
  expect(await c.nodes()).toHaveLength(1);
  expect(await c.call(() => "queued")).toBe("queued");
  expect(await c.cancelAll()).toBe(0);
  await Promise.all(endless.map((job) => job.cancel()));
  expect(new Set((await ends).map((end) => end.status))).toEqual(new Set(["rejected"]));
});

test("an instant call whose node dies is lost, and says so, whether anything of it was heard or not", async () => {
  const node = await startNodeProcess();
  const output = new Collected();
  const c = clientAt(node.url, { token: node.token, output: output.sinks, async: false });
  const printing = c
    .call(() => {
      console.log("runs");
      return new Promise(() => {});
    })
    .catch((error: unknown) => error);
  const quiet = c.call(() => new Promise(() => {})).catch((error: unknown) => error);
  await expect.poll(() => output.text("stdout"), { timeout: 10_000 }).toBe("runs\n");
  node.kill("SIGKILL");
  const lost = {
    code: "KS_CONNECTION_LOST",
    message: expect.stringMatching(/^Lost the instant call, which may have run or not: .* \(call it again/),
  };
  expect(await Promise.all([quiet, printing])).toMatchObject([lost, lost]);
  await node.exited;
  await expect(c.call(() => 1)).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
});

test("megabytes of arguments and results come through", async () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, "x");
  const back = await cluster.client.call((given: Uint8Array) => given, bytes);
  expect(Buffer.from(back).equals(bytes)).toBe(true);
});

test("a client of another protocol version is refused with both versions", async () => {
  const response = await fetch(new URL("/v1/nodes", cluster.urls[0]), {
    headers: { authorization: `Bearer ${cluster.token}`, "kitchensink-protocol": "99" },
  });
  expect(response.status).toBe(415);
  expect(response.headers.get("kitchensink-protocol")).toBe(String(PROTOCOL_VERSION));
  expect(await response.json()).toMatchObject({
    detail: expect.stringMatching(new RegExp(`version ${PROTOCOL_VERSION} .*version 99`)),
  });
});

test("a node that was killed and started again runs what it left, and its clients get their results", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const flags = ["--redis-connection", redis.address, "--node-name", "phoenix"];
  const first = await startNodeProcess(flags);
  const patient = new Client(first.url, { token: first.token, output: "off" });
  const job = patient.call(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return "survived";
  });
  await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  await patient.close();
  await expect(job).rejects.toMatchObject({ code: "KS_CONNECTION_LOST" });
  first.kill("SIGKILL");
  await first.exited;
  const second = await startNodeProcess(flags);
  const c = new Client(second.url, { token: second.token, output: "off" });
  onTestFinished(() => c.close());
  expect(await c.result(job.id)).toBe("survived");
  expect(await c.job(job.id).status()).toMatchObject({ attempt: 2, deaths: 1 });
});

test("results expire after the time they are kept", async () => {
  const brief = await startCluster({ resultTtlMs: 50 });
  onTestFinished(() => brief.close());
  const job = brief.client.call(() => 1);
  await job;
  await expect
    .poll(() => job.status().catch((error: { code: string }) => error.code), { timeout: 5_000 })
    .toBe("KS_NO_SUCH_JOB");
});
