import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { tlsOptions as storeTlsOptions } from "../../src/store/redis/tls.ts";
import { makeCertificates, tlsOptions, tlsSettings, type Certificates } from "./support/certificates.ts";
import { DEFAULTS, HEAD, inboxOf } from "./support/harness.ts";
import { untilWokenForAll } from "./support/inbox.ts";
import { openAt, outcomeAt, refusal } from "./support/outcome.ts";
import { freePort, startRedis, startServer, type TestServer } from "./support/redis.ts";
import { startRedisCluster } from "./support/redis-cluster.ts";
import { startSentinel } from "./support/redis-sentinel.ts";

describe("TLS with a private authority", () => {
  let directory: string;
  let files: Certificates;
  let server: TestServer;
  let port: number;
  let raw: Redis;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "ks-certificates-"));
    files = makeCertificates(directory);
    port = await freePort();
    const plain = await freePort();
    const settings = { "--port": String(plain), ...tlsSettings(files, port) };
    server = await startServer({ args: Object.entries(settings).flat() });
    raw = new Redis({ port: plain });
  }, 180_000);
  afterAll(async () => {
    raw.disconnect();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const address = (options: Readonly<Record<string, string>>): string =>
    `rediss://127.0.0.1:${port}?${new URLSearchParams({ db: "9", ...options }).toString()}`;
  const known = () => tlsOptions(files);

  test("works with the authority's file, the name in the certificate, and a certificate of one's own", async () => {
    expect(await outcomeAt(address(known()))).toBe("succeeded");
  });

  test.each([
    ["no authority", () => ({ ...known(), ca: undefined }), /not of a known authority: name .* \?ca=/],
    ["another authority", () => ({ ...known(), ca: files.other.cert }), /not of a known authority/],
    ["another name", () => ({ ...known(), servername: "other.test" }), /for other names .* \?servername=/],
    [
      "no certificate",
      () => ({ ca: files.ca, servername: "redis.test" }),
      /asks for a certificate: .* \?cert=/,
    ],
    [
      "no such file",
      () => ({ ...known(), ca: "/nonexistent/ca.pem" }),
      /option ca cannot be read \(there is none\): correct \/nonexistent\/ca.pem/,
    ],
    [
      "a file of another kind",
      () => ({ ...known(), ca: import.meta.filename }),
      /option ca cannot be read \(it is not in PEM\)/,
    ],
    [
      "a key of another certificate",
      () => ({ ...known(), key: files.other.key }),
      /cert and key belong together/,
    ],
  ] as const)("with %s is refused with the way out", async (_what, options, message) => {
    const given = Object.entries(options()).filter(
      (option): option is [string, string] => option[1] !== undefined,
    );
    expect(await refusal(address(Object.fromEntries(given)))).toMatch(message);
  });

  test("shows a renewed certificate at the next connection", async () => {
    const [cert, key] = [join(directory, "shown.pem"), join(directory, "shown.key")];
    const use = (name: "client" | "server"): void => {
      copyFileSync(files[name].cert, cert);
      copyFileSync(files[name].key, key);
    };
    use("client");
    const options = storeTlsOptions(parseRedisAddress(address({ ...known(), cert, key })));
    const own = { cert: readFileSync(files.server.cert), key: readFileSync(files.server.key) };
    const peer = createServer({ ...own, ca: readFileSync(files.ca), requestCert: true }).listen(
      0,
      "127.0.0.1",
    );
    await once(peer, "listening");
    onTestFinished(() => void peer.close());
    const bound = peer.address();
    const shown = async (): Promise<unknown> => {
      const socket = connect({
        port: typeof bound === "object" ? bound!.port : 0,
        host: "127.0.0.1",
        ...options,
      });
      const [seen] = (await once(peer, "secureConnection")) as [TLSSocket];
      socket.destroy();
      return seen.getPeerCertificate().subject.CN;
    };
    expect(await shown()).toBe("client");
    writeFileSync(cert, "half");
    expect(await shown()).toBe("client");
    use("server");
    expect(await shown()).toBe("redis");
  });

  test("goes on when certificates are renewed, and while they cannot be read", async () => {
    const [cert, key] = [join(directory, "mine.pem"), join(directory, "mine.key")];
    copyFileSync(files.client.cert, cert);
    copyFileSync(files.client.key, key);
    const store = await openAt(address({ ...known(), cert, key }));
    const inbox = await inboxOf(store, HEAD);
    const reconnected = async (): Promise<void> => {
      await raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await raw.call("CLIENT", "KILL", "TYPE", "pubsub");
      await untilWokenForAll(inbox);
      expect(await store.nodes()).toEqual([]);
    };
    writeFileSync(cert, "half");
    await reconnected();
    copyFileSync(files.server.cert, cert);
    copyFileSync(files.server.key, key);
    await reconnected();
  });

  test("leads to a Redis Cluster, and by way of a sentinel", async () => {
    const cluster = await startRedisCluster({ certificates: files });
    onTestFinished(() => cluster.stop());
    expect(await outcomeAt(cluster.address)).toBe("succeeded");
    const sentinel = await startSentinel({
      password: "hush",
      sentinelPassword: "quiet",
      certificates: files,
    });
    onTestFinished(() => sentinel.stop());
    expect(await outcomeAt(sentinel.address)).toBe("succeeded");
  });

  test("to a server without TLS says so", async () => {
    const plain = await startRedis();
    onTestFinished(() => plain.stop());
    const open = openRedisStore({
      cluster: "c",
      address: parseRedisAddress(plain.address.replace("tcp:", "rediss:")),
      connectTimeoutMs: 300,
      ...DEFAULTS,
    });
    await expect(open).rejects.toThrow(/no answer in 300 ms; does it speak TLS\?/);
  });
});
