/** A node says that it lives to those who wait for an instant call: who hears nothing takes it for gone. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster } from "kitchensink/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { Client } from "kitchensink";
import { Proxy } from "../support/proxy.ts";
import { temporaryDirectory } from "../support/temporary.ts";

test("who waits for an instant call hears every 15 s that its node lives, and then the end", async () => {
  // A node's intervals, and nothing else.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const cluster = await startCluster();
  onTestFinished(() => cluster.close());
  const proxy = await Proxy.to(Number(new URL(cluster.urls[0]!).port));
  const client = new Client(`http://127.0.0.1:${proxy.port}/`, { token: cluster.token });
  onTestFinished(() => client.close());

  const file = join(temporaryDirectory(), "go-on");
  let hasPrinted = (): void => {};
  const printed = new Promise<void>((resolve) => (hasPrinted = resolve));
  const sink = { write: () => hasPrinted() };
  const instant = client.with({ async: false, output: { stdout: sink, stderr: sink } });
  const job = instant.call(async (path) => {
    console.log("begun");
    const { existsSync } = await import("node:fs");
    while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
    return "ended";
  }, file);
  await printed;
  const answer = proxy.passages.find(({ head }) => head.startsWith("POST /v1/instant"));
  const before = answer?.bytesBack ?? NaN;
  vi.advanceTimersByTime(15_000);
  await proxy.passes((passage) => passage === answer && passage.bytesBack > before);
  writeFileSync(file, "");
  expect(await job).toBe("ended");
});
