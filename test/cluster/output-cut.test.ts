/** Output beyond what the log keeps: whoever follows the job gets it all the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, type Job } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Collected } from "../support/collect.ts";
import { Proxy } from "../support/proxy.ts";
import { STORES, useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { printWhenTold } from "./fixtures/jobs.mjs";

interface CutJob {
  readonly job: Job<unknown>;
  readonly print: (text: string) => void;
  readonly end: () => void;
}

const NOTICE = "\n[kitchensink: the output log was cut here, at its limit of 100 bytes]\n";
/** As much as is kept, and as much again. */
const LOGGED = "0123456789".repeat(10);
const CUT = LOGGED + "x".repeat(100);

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 1, jobOutputBytes: 100 });
  });
  afterAll(() => cluster.close());

  /** A job that prints what it is told, when it is told, and whose log is cut already. */
  async function cutJob(): Promise<CutJob> {
    const place = join(temporaryDirectory(), "said");
    let said = 0;
    const print = (text: string): void => writeFileSync(`${place}${said++}`, text);
    const job = cluster.client.with({ output: "off" }).call(printWhenTold, place);
    job.catch(() => {});
    print(CUT);
    const log = async (): Promise<string> => {
      const headers = { authorization: `Bearer ${cluster.token}` };
      return await (await fetch(new URL(`/v1/jobs/${job.id}/output`, cluster.urls[0]), { headers })).text();
    };
    await expect.poll(log).toBe(LOGGED + NOTICE);
    return { job, print, end: () => print("end") };
  }

  test("who comes after the log was cut gets what is left of it, and then what the job prints on", async () => {
    const { job, print, end } = await cutJob();
    const output = new Collected();
    const following = cluster.connect(0, { output: output.sinks }).result(job.id);
    await expect.poll(() => output.text("stderr")).toBe(NOTICE);
    expect(output.text("stdout")).toBe(LOGGED);
    print("more");
    await expect.poll(() => output.text("stdout")).toBe(`${LOGGED}more`);
    print(" and more");
    await expect.poll(() => output.text("stdout")).toBe(`${LOGGED}more and more`);
    expect(output.text("stderr")).toBe(NOTICE);
    end();
    await following;
  });

  test("who loses the connection beyond the log is told that output is missing, and gets what comes then", async () => {
    const proxy = await Proxy.to(Number(new URL(cluster.urls[0] ?? "").port));
    const watches = (): number =>
      proxy.passages.filter(({ head, bytesBack }) => head.startsWith("POST /v1/watch") && bytesBack > 0)
        .length;
    const output = new Collected();
    await using c = new Client(`http://127.0.0.1:${proxy.port}/`, {
      token: cluster.token,
      output: output.sinks,
    });
    const { job, print, end } = await cutJob();
    const following = c.result(job.id);
    await expect.poll(() => output.text("stderr")).toBe(NOTICE);
    print("seen");
    await expect.poll(() => output.text("stdout")).toBe(`${LOGGED}seen`);
    proxy.refuse();
    print("missed");
    await expect.poll(async () => (await job.status()).progress?.done).toBe(3);
    proxy.accept();
    await expect.poll(watches).toBe(2);
    print("seen again");
    await expect.poll(() => output.text("stdout")).toBe(`${LOGGED}seenseen again`);
    expect(output.text("stderr").slice(NOTICE.length)).toMatch(
      /^\n\[kitchensink: output is missing here, .*\]\n$/,
    );
    end();
    await following;
  });
});
