import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { RemoteData } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { block, tellJob, untilAborted } from "../cluster/fixtures/jobs.mjs";
import { useStore } from "../support/stores.ts";
import { useBrowser, visit } from "./support/browser.ts";
import { goTo, PHONE, seriousFaults, text, widthOf } from "./support/pages.ts";

const FUNCTIONS = fileURLToPath(new URL("../cluster/fixtures/functions.ts", import.meta.url));
const PAGES = ["", "jobs", "nodes", "data", "functions"];

const browser = useBrowser();
const options = useStore("redis");
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ ...options(), nodes: 2, modules: [FUNCTIONS], graceMs: 100 });
});
afterAll(() => cluster.close());

const link = (index = 0): URL => cluster.nodes[index]!.dashboardLink();
const tile = (page: Page, name: string): Promise<string> =>
  page.locator(".tiles div", { hasText: name }).locator("dd").innerText();

describe("the login", () => {
  test("a link logs a browser in, once; its code is in no address afterwards", async () => {
    const used = link();
    const { page } = await visit(browser(), used);
    await expect.poll(() => text(page)).toContain("Workers busy");
    expect(page.url()).not.toContain("login");
    await page.reload();
    await expect.poll(() => text(page)).toContain("Workers busy");

    const other = await visit(browser(), used);
    await expect.poll(() => text(other.page)).toContain("the link was used");
    await expect.poll(() => text(other.page)).toContain("kitchensink dashboard --url");
  });

  test("without a login the page says how to come by one; whoever logs out is out", async () => {
    const stranger = await visit(browser(), cluster.urls[0]!);
    await expect.poll(() => text(stranger.page)).toContain("kitchensink dashboard --url");
    const { page } = await visit(browser(), link());
    await page.getByRole("button", { name: "Log out" }).click();
    await expect.poll(() => text(page)).toContain("kitchensink dashboard --url");
    await page.reload();
    await expect.poll(() => text(page)).toContain("kitchensink dashboard --url");
  });

  test("a page of another port of the same host gets the cookie, and nothing for it", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => text(page)).toContain("Workers busy");
    const cookies: string[] = [];
    const evil = createServer(({ headers }, response) => {
      cookies.push(headers.cookie ?? "");
      response.setHeader("content-type", "text/html").end("<title>evil</title>");
    }).listen(0, "127.0.0.1");
    await once(evil, "listening");
    onTestFinished(() => void evil.close());
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    // So it is: cookies do not know ports.
    expect(cookies[0]).toMatch(/^kitchensink-/);
    const node = cluster.urls[0]!;
    const asked = await page.evaluate(async (url) => {
      const answer = await fetch(`${url}v1/status`, { credentials: "include", mode: "no-cors" }).catch(
        () => undefined,
      );
      return { status: answer?.status, keys: Object.keys(localStorage) };
    }, node);
    expect(asked).toEqual({ status: 0, keys: [] });
    const stolen = await fetch(`${node}v1/status`, { headers: { cookie: cookies[0]! } });
    expect(stolen.status).toBe(401);
  });
});

describe("each page shows what is true while a cluster of two nodes works", () => {
  test("the overview: workers, queues and runs, as they come and go", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => tile(page, "Workers busy")).toBe("0 of 4");
    const running = ["node1", "node2"].map((node) => cluster.client.with({ node }).call(untilAborted));
    const waiting = cluster.client.with({ queue: "gpu" }).call(tellJob);
    const end = Promise.allSettled([...running, waiting]);
    await expect.poll(() => tile(page, "Workers busy")).toBe("2 of 4");
    await expect.poll(() => tile(page, "Jobs waiting")).toBe("1");
    await expect.poll(() => text(page)).toMatch(/Queues\s+gpu\s+1/);
    await cluster.client.cancelAll();
    await end;
    await expect.poll(() => tile(page, "Workers busy")).toBe("0 of 4");
    await page.getByText("runs as a table").click();
    const rows = page.locator("details tbody tr");
    await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(2);
    await expect
      .poll(() => rows.allInnerTexts())
      .toEqual(expect.arrayContaining([expect.stringMatching(/untilAborted.*node1 queue 1.*cancelled/s)]));
  });

  test("workers that go from one short run to the next are busy, whenever one looks", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => tile(page, "Workers busy")).toBe("0 of 4");
    const stop = new AbortController();
    const keepBusy = async (node: string): Promise<void> => {
      const client = cluster.client.with({ node });
      while (!stop.signal.aborted) await client.map(block, Array<number>(40).fill(5));
    };
    const work = Promise.all([keepBusy("node1"), keepBusy("node2")]);
    await expect.poll(() => tile(page, "Workers busy")).toBe("2 of 4");
    const told = await page.evaluate(
      () =>
        new Promise<(string | null)[]>((resolve) => {
          const place = document.querySelector("main")!;
          const texts: (string | null)[] = [];
          new MutationObserver(() => {
            texts.push(document.querySelectorAll(".tiles dd")[1]!.textContent);
            if (texts.length >= 8) resolve(texts);
          }).observe(place, { childList: true, characterData: true, subtree: true });
        }),
    );
    stop.abort();
    await work;
    expect(told).not.toContain("0 of 4");
    await expect.poll(() => tile(page, "Workers busy")).toBe("0 of 4");
  });

  test("the picture of runs has a bar for a run, in the row of its worker", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => text(page)).toContain("Runs by worker");
    const job = cluster.client.with({ node: "node2" }).call(untilAborted);
    const end = Promise.allSettled([job]);
    // Rows: node1 1, node1 instant 1, node2 1; a run that goes on reaches the right edge.
    const color = (): Promise<number[]> =>
      page
        .locator("canvas")
        .first()
        .evaluate((canvas: HTMLCanvasElement) => {
          const pen = canvas.getContext("2d");
          return Array.from(
            pen?.getImageData(canvas.width - 3, (2 * 23 + 8) * devicePixelRatio, 1, 1).data ?? [],
          );
        });
    const idle = await color();
    await expect.poll(color).not.toEqual(idle);
    await job.cancel();
    await end;
  });

  test("a click on the bar of a job leads to it; an instant call has no page to go to", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => text(page)).toContain("Runs by worker");
    const jobs = [
      cluster.client.with({ node: "node1" }).call(untilAborted),
      cluster.client.with({ async: false }).call(untilAborted),
    ] as const;
    const end = Promise.allSettled(jobs);
    await expect.poll(() => tile(page, "Workers busy")).toBe("2 of 4");
    const canvas = page.locator("canvas").first();
    const box = (await canvas.boundingBox())!;
    // Rows: node1 1, node1 instant 1; what goes on reaches the right edge.
    const at = (row: number) => ({ position: { x: box.width - 3, y: row * 23 + 8 } });
    await canvas.click(at(1));
    expect(await page.locator(".under").innerText()).toContain("instant");
    expect(new URL(page.url()).hash).toBe("");
    await canvas.click(at(0));
    expect(new URL(page.url()).hash).toBe(`#/jobs/${jobs[0].id}`);
    await Promise.all(jobs.map((job) => job.cancel()));
    await end;
  });

  test("what is opened in a tab in the background is asked for when somebody looks", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => text(page)).toContain("Workers busy");
    const hide = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await hide(true);
    await goTo(page, "functions");
    await expect.poll(() => page.locator("h1").innerText()).toBe("Functions");
    expect(await text(page)).not.toContain("greet");
    await hide(false);
    await expect.poll(() => text(page)).toContain("greet");
  });

  test("colors follow the system or the choice, also where scripts draw with them", async () => {
    const { page } = await visit(browser(), link(), { colorScheme: "light" });
    await expect.poll(() => text(page)).toContain("Workers busy");
    const colors = (): Promise<string[]> =>
      page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        const drawn = ["--muted", "--line", "--track", "--failed", "--c1", "--c2", "--c3"];
        return [
          getComputedStyle(document.body).backgroundColor,
          ...drawn.map((name) => style.getPropertyValue(name)),
        ];
      });
    const light = await colors();
    for (const color of light) expect(color).toMatch(/^rgb\(/);
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await colors();
    dark.forEach((color, at) => expect(color).not.toBe(light[at]));
    await page.getByLabel("Colors").selectOption("light");
    expect(await colors()).toEqual(light);
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByLabel("Colors").selectOption("dark");
    expect(await colors()).toEqual(dark);
  });

  test("jobs, by state and name; a job's page with output, reason, error; and its cancel", async () => {
    const failed = cluster.client.with({ rpcName: "test" }).call("buy", "<b>hats</b>");
    await expect(failed).rejects.toThrow("no more");
    const running = cluster.client.call(untilAborted);
    const end = expect(running).rejects.toMatchObject({ code: "KS_CANCELLED" });
    const { page } = await visit(browser(), link());
    await goTo(page, "jobs");
    await page.getByLabel("State").selectOption("failed");
    await expect.poll(() => text(page)).toContain("test.buy");
    await page.getByRole("link", { name: failed.id.slice(-8) }).click();
    await expect.poll(() => text(page)).toContain("no more <b>hats</b>");
    await expect.poll(() => text(page)).toMatch(/at buy \(.*functions\.ts:\d+/);
    await expect.poll(() => text(page)).toContain("no remote data decides where it runs");

    await goTo(page, `jobs/${running.id}`);
    await expect.poll(() => text(page)).toContain("started");
    await page.getByRole("button", { name: "Cancel" }).click();
    await end;
    await expect.poll(() => page.locator("main [role=status]").first().innerText()).toContain("cancelled");
    await goTo(page, "jobs/01a206b3-7096-71d8-b69f-6a08047f2293");
    await expect.poll(() => text(page)).toContain("There is no job");
  });

  test("nodes with their workers, and what these run", async () => {
    const { page } = await visit(browser(), link());
    await goTo(page, "nodes");
    await expect.poll(() => text(page)).toContain("node2");
    const job = cluster.client.with({ node: "node2" }).call(untilAborted);
    const end = Promise.allSettled([job]);
    const worker = page.getByRole("region", { name: "Workers of node2" }).locator("tbody tr").first();
    await expect.poll(() => worker.innerText()).toMatch(new RegExp(`untilAborted\\s+${job.id.slice(-8)}`));
    await job.cancel();
    await end;
    await expect.poll(() => worker.innerText()).toContain("idle");
  });

  test("data with sizes and replicas", async () => {
    const data = await new RemoteData({ raw: new Uint8Array(2_500_000), client: cluster.client }).save({
      url: "tables/orders",
      node: "node2",
    });
    const { page } = await visit(browser(), link());
    await goTo(page, "data");
    const row = page.locator("tbody tr", { hasText: "tables/orders" });
    await expect.poll(() => row.innerText()).toMatch(/2\.50 MB.*node2/s);
    await page.getByLabel("Pattern").fill("nothing/*");
    await expect.poll(() => text(page)).toContain("There is no data of such a name");
    await data.delete();
  });

  test("registered functions, with a form that calls them", async () => {
    const { page } = await visit(browser(), link());
    await goTo(page, "functions");
    const form = page.locator("form", { hasText: "test.add" });
    await form.getByLabel("a", { exact: true }).fill("40");
    await form.getByRole("button", { name: "Call" }).click();
    await expect.poll(() => form.locator("pre").innerText()).toBe("41");
    await form.getByLabel("a", { exact: true }).fill("forty");
    await form.getByRole("button", { name: "Call" }).click();
    await expect.poll(() => form.locator(".field").first().innerText()).toContain("This is no JSON");
    const failing = page.locator("form", { hasText: "test.buy" });
    await failing.getByLabel("what").fill('"hats"');
    await failing.getByRole("button", { name: "Call" }).click();
    await expect.poll(() => failing.locator("pre").innerText()).toContain("no more hats");
  });
});

describe("for everybody", () => {
  test.each([
    ["dark", {}],
    ["light", PHONE],
  ] as const)(
    "no page has anything serious against it, %s",
    { timeout: 60_000 },
    async (colorScheme, size) => {
      await cluster.client.call(tellJob);
      const { page } = await visit(browser(), link(), { colorScheme, bypassCSP: true, ...size });
      await expect.poll(() => text(page)).toContain("Workers busy");
      for (const path of PAGES) {
        await goTo(page, path);
        await expect.poll(() => page.locator("table, form, .tiles, .empty").count()).toBeGreaterThan(0);
        expect(await seriousFaults(page), path).toEqual([]);
      }
    },
  );

  test("on a phone nothing needs to be scrolled sideways but tables", async () => {
    const { page } = await visit(browser(), link(), PHONE);
    await expect.poll(() => text(page)).toContain("Workers busy");
    for (const path of PAGES) {
      await goTo(page, path);
      await expect.poll(() => page.locator("main h1").count()).toBe(1);
      expect(await widthOf(page), path).toBeLessThanOrEqual(360);
    }
  });

  test("the keyboard is enough, and news leave it where it is", async () => {
    const { page } = await visit(browser(), link());
    await expect.poll(() => text(page)).toContain("Workers busy");
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? "");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("To the contents");
    for (const name of ["Overview", "Jobs"]) {
      await page.keyboard.press("Tab");
      expect(await focused()).toBe(name);
    }
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.keyboard.press("Tab");
    const at = (): Promise<string> => page.evaluate(() => document.activeElement?.tagName ?? "");
    expect(await at()).toBe("SELECT");
    await cluster.client.call(tellJob);
    await page.waitForResponse((response) => response.url().includes("/v1/jobs?"));
    expect(await at()).toBe("SELECT");
  });
});

test("thousands of jobs leave neither the page nor the node larger", { timeout: 90_000 }, async () => {
  const { page } = await visit(browser(), link());
  const cdp = await page.context().newCDPSession(page);
  const heap = async (): Promise<number> => {
    await cdp.send("HeapProfiler.collectGarbage");
    return (await cdp.send("Runtime.getHeapUsage")).usedSize;
  };
  const work = async (): Promise<void> => {
    await cluster.client.map(
      (n: number) => n,
      Array.from({ length: 5_000 }, (_, n) => n),
    );
    await expect.poll(() => tile(page, "Workers busy")).toBe("0 of 4");
  };
  await work();
  const before = await heap();
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  for (let round = 0; round < 4; round += 1) await work();
  expect(await heap()).toBeLessThan(before + 3_000_000);
  expect(await page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(nodes + 200);
});
