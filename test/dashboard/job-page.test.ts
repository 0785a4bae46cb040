/** The page of a job, and what the list of jobs shows of it, while a real cluster works. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startCluster, type Cluster } from "kitchensink/testing";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { tellJob, untilAborted } from "../cluster/fixtures/jobs.mjs";
import { useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { dies, endless, needs, progressing } from "./fixtures/pages.mjs";
import { useBrowser, visit } from "./support/browser.ts";
import { goTo, PHONE, seriousFaults, text, widthOf } from "./support/pages.ts";

const browser = useBrowser();
const options = useStore("redis");
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ ...options(), numWorkers: 2, graceMs: 100 });
});
afterAll(() => cluster.close());

const fresh = (): string => join(temporaryDirectory(), "file");
const open = async (path: string, size: object = {}): Promise<Page> => {
  const { page } = await visit(browser(), cluster.nodes[0]!.dashboardLink(), size);
  await expect.poll(() => text(page)).toContain("Workers busy");
  await goTo(page, path);
  return page;
};
const state = (page: Page): Promise<string> => page.locator("main [role=status]").first().innerText();
const fact = (page: Page, name: string): Promise<string> =>
  page
    .locator(".facts div", { has: page.getByText(name, { exact: true }) })
    .locator("dd")
    .innerText();
/** What a failed job that needs a file left behind. */
const failed = async (...args: [file: string, ...rest: unknown[]]): Promise<string> => {
  const job = cluster.client.call(needs, ...args);
  await expect(job).rejects.toThrow("no ");
  return job.id;
};

test("a job that failed is retried by its button, which leads to the new job", async () => {
  const file = fresh();
  const id = await failed(file);
  const page = await open(`jobs/${id}`);
  const button = page.getByRole("button", { name: "Retry" });
  await expect.poll(() => button.isVisible()).toBe(true);
  writeFileSync(file, "");
  await button.focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).not.toContain(id);
  await expect.poll(() => state(page)).toContain("succeeded");
  expect(await page.getByRole("button", { name: "Retry" }).count()).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
  expect(await cluster.client.result(new URL(page.url()).hash.slice("#/jobs/".length))).toBe("there");
  expect((await cluster.client.job(id).status()).state).toBe("failed");
});

test("so is one that was cancelled from its page", async () => {
  const job = cluster.client.call(untilAborted);
  const end = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
  const page = await open(`jobs/${job.id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await end;
  await page.getByRole("button", { name: "Retry" }).click();
  await expect.poll(() => page.url()).not.toContain(job.id);
  await expect.poll(() => state(page)).toContain("running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect.poll(() => state(page)).toContain("cancelled");
});

test("where a retry is not possible the page says why, and stays", async () => {
  const id = await failed(fresh());
  const { host, port, db } = parseRedisAddress(options().redisConnection!);
  const raw = new Redis({ host: host!, port: port!, db });
  onTestFinished(() => raw.disconnect());
  const page = await open(`jobs/${id}`);
  await expect.poll(() => fact(page, "Code")).toMatch(/ in 1 unit$/);
  await raw.unlink(await raw.keys("*:unit:*"));
  await page.getByRole("button", { name: "Retry" }).click();
  await expect.poll(() => text(page)).toContain("the code that it needs is not kept any more (call the");
  expect(page.url()).toContain(id);
  await page.reload();
  await expect.poll(() => fact(page, "Code")).toBe("1 unit, of which 1 not kept any more");
});

test("how large a call is: arguments, function, code; not of one that succeeded before one looked", async () => {
  const end = fresh();
  const ballast = "x".repeat(20_000);
  const running = cluster.client.call(progressing, end, end);
  const page = await open(`jobs/${await failed(fresh(), ballast)}`);
  await expect.poll(() => fact(page, "Arguments")).toMatch(/^20\.\d kB, as closure$/);
  expect(await fact(page, "Function, with its variables")).toMatch(/^\d+ B$/);
  expect(await fact(page, "Code")).toMatch(/^\d+ B in 1 unit$/);
  await goTo(page, `jobs/${running.id}`);
  await expect.poll(() => fact(page, "Arguments")).toMatch(/^\d+ B, as closure$/);
  writeFileSync(end, "");
  await running;
  await expect.poll(() => state(page)).toContain("succeeded");
  expect(await fact(page, "Arguments")).toMatch(/^\d+ B, as closure$/);
  await page.reload();
  await expect.poll(() => fact(page, "Arguments")).toBe("size not kept after success");
});

test("an error comes with the line that threw, and where it stands", async () => {
  const page = await open(`jobs/${await failed("/nowhere")}`);
  await expect.poll(() => text(page)).toContain("no /nowhere");
  const region = (name: string): Locator => page.getByRole("region", { name });
  expect(await region("The line that threw").innerText()).toContain("throw new Error(`no ${file}`)");
  expect(await region("Where it was thrown").innerText()).toMatch(/at needs .*pages\.mjs:\d+/);
});

test("each death of a job is told: while it runs again, and when it died once too often", async () => {
  const end = fresh();
  const job = cluster.client.call(dies, 1, end);
  const page = await open(`jobs/${job.id}`);
  const deaths = page.locator(".deaths li");
  await expect.poll(() => deaths.allInnerTexts()).toEqual([expect.stringMatching(/^attempt 1 on .*SIGKILL/)]);
  expect(await fact(page, "Attempts")).toBe("2, after 1 death");
  writeFileSync(end, "");
  await job;
  await expect.poll(() => state(page)).toContain("succeeded");
  expect(await deaths.count()).toBe(1);

  const lost = cluster.client.call(dies, 9, end);
  await expect(lost).rejects.toMatchObject({ code: "KS_WORKER_LOST" });
  await goTo(page, `jobs/${lost.id}`);
  await expect.poll(() => deaths.count()).toBe(2);
  expect((await deaths.allInnerTexts()).map((line) => line.slice(0, 9))).toEqual(["attempt 1", "attempt 2"]);
  const shown = await text(page);
  expect(shown).toContain("its worker died 3 times, the last time");
  expect(shown).not.toContain("Earlier deaths");
});

test("how far a job says that it is, on its page and in the list, as it goes on", async () => {
  const [further, end] = [fresh(), fresh()];
  const job = cluster.client.call(progressing, further, end);
  const other = cluster.client.call(endless, end);
  const page = await open(`jobs/${job.id}`);
  const bar = page.getByRole("progressbar", { name: "rows" });
  const values = (): Promise<number[]> =>
    bar.evaluate((element: HTMLProgressElement) => [element.value, element.max]);
  await expect.poll(() => bar.count()).toBe(1);
  expect(await values()).toEqual([3, 10]);
  expect(await text(page)).toContain("3 of 10, rows");
  writeFileSync(further, "");
  await expect.poll(() => text(page)).toContain("7.5 of 10, rows");
  expect(await values()).toEqual([7.5, 10]);

  await goTo(page, "jobs");
  const row = (id: string): Locator => page.locator("tbody tr", { hasText: id.slice(-8) });
  await expect.poll(() => row(job.id).innerText()).toContain("7.5 of 10, rows");
  await expect.poll(() => row(other.id).innerText()).toContain("1,234");
  const unknown = row(other.id).getByRole("progressbar", { name: "Progress" });
  expect(await unknown.evaluate((element: HTMLProgressElement) => element.position)).toBe(-1);
  writeFileSync(end, "");
  await Promise.all([job, other]);
  await expect.poll(() => row(job.id).getByRole("progressbar").count()).toBe(0);
  await goTo(page, `jobs/${job.id}`);
  await expect.poll(() => state(page)).toContain("succeeded");
  expect(await page.getByRole("progressbar").count()).toBe(0);
});

test.each([
  ["dark", {}],
  ["light", PHONE],
] as const)(
  "nothing serious is against it, and it fits a phone: %s",
  async (colorScheme, size) => {
    const end = fresh();
    const running = cluster.client.call(progressing, end, end);
    const lost = cluster.client.call(dies, 9, end);
    await expect(lost).rejects.toMatchObject({ code: "KS_WORKER_LOST" });
    await cluster.client.call(tellJob);
    const page = await open(`jobs/${running.id}`, { colorScheme, bypassCSP: true, ...size });
    await expect.poll(() => page.getByRole("progressbar").count()).toBe(1);
    expect(await seriousFaults(page)).toEqual([]);
    expect(await widthOf(page)).toBeLessThanOrEqual(page.viewportSize()!.width);
    for (const id of [lost.id, await failed(fresh(), "x".repeat(10_000))]) {
      await goTo(page, `jobs/${id}`);
      await expect.poll(() => page.getByRole("button", { name: "Retry" }).count()).toBe(1);
      await expect.poll(() => text(page)).toContain("as closure");
      expect(await seriousFaults(page)).toEqual([]);
      expect(await widthOf(page)).toBeLessThanOrEqual(page.viewportSize()!.width);
    }
    writeFileSync(end, "");
    await running;
  },
  60_000,
);

test("output that could not be read is asked for again, also of a job that has ended", async () => {
  const job = cluster.client.call(() => console.log("printed"));
  await job;
  const page = await open("jobs");
  let left = 2;
  await page.route("**/output?from=*", (route) => (left-- > 0 ? route.abort() : route.continue()));
  await goTo(page, `jobs/${job.id}`);
  await expect.poll(() => text(page)).toContain("More could not be read: The node does not answer");
  expect(await text(page)).not.toContain("It has printed nothing");
  await expect.poll(() => page.locator("[role=log]").innerText()).toContain("printed");
  expect(await text(page)).not.toContain("could not be read");
});

test("of a result that is too large to be shown the page says how to have it", async () => {
  const job = cluster.client.call(() => "x".repeat(2_000_000));
  await job;
  const page = await open(`jobs/${job.id}`);
  await expect
    .poll(() => text(page))
    .toMatch(/2\.00 MB, encoded by \w+: await it from a client, or fetch the bytes at \/v1\/data\/\S+/);
});
