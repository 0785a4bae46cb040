// Takes the pictures of the dashboard in docs/images: `node --import kitchensink/register scripts/screenshots.ts`. It needs
// `chromium` and `redis-server` on PATH, and a build.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { RemoteData, type Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { chromium, type Browser, type Page } from "playwright-core";
import { startRedis } from "../test/store/support/redis.ts";

const ROOT = fileURLToPath(new URL("screenshots/", import.meta.url));
const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
const FUNCTIONS = fileURLToPath(new URL("screenshots/functions.ts", import.meta.url));
const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
/** Until the charts have something to show. */
const WARM_UP_MS = 14_000;

const redis = await startRedis();
const cluster = await startCluster({
  redisConnection: redis.address,
  nodes: 2,
  numWorkers: 3,
  modules: [FUNCTIONS],
});
const stop = new AbortController();
const load = keepBusy(cluster.client, stop.signal);
const browser = await chromium.launch({
  executablePath: execFileSync("which", ["chromium"], { encoding: "utf8" }).trim(),
  args: ["--no-sandbox"],
});
try {
  mkdirSync(IMAGES, { recursive: true });
  await takeAll(browser, cluster);
} finally {
  await browser.close();
  stop.abort();
  await load;
  await cluster.close();
  await redis.stop();
}

async function takeAll(chrome: Browser, { nodes, client }: Cluster): Promise<void> {
  const open = async (colorScheme: "light" | "dark", viewport: typeof DESK): Promise<Page> => {
    const page = await (await chrome.newContext({ colorScheme, viewport })).newPage();
    await page.goto(nodes[0]?.dashboardLink().href ?? "");
    return page;
  };
  const [light, dark, phone] = [
    await open("light", DESK),
    await open("dark", DESK),
    await open("dark", PHONE),
  ];
  await pause(WARM_UP_MS);
  await light.screenshot({ path: `${IMAGES}dashboard-light.png` });
  await dark.screenshot({ path: `${IMAGES}dashboard.png` });
  await phone.screenshot({ path: `${IMAGES}dashboard-phone.png` });
  const long = client
    .with({ rpcName: "shop" })
    .call("printCatalog", { title: "Summer", pages: 400, paper: "plain" });
  const failed = client.with({ rpcName: "shop" }).call("fetchRates", "BUNDESBANK!!");
  await failed.then(undefined, () => undefined);
  for (const [name, path] of [
    ["job", `jobs/${failed.id}`],
    ["jobs", "jobs"],
    ["nodes", "nodes"],
    ["functions", "functions"],
  ]) {
    await dark.goto(`${nodes[0]?.url.href}#/${path}`);
    await pause(1_500);
    if (name === "functions") await fillWrongly(dark);
    await hidePaths(dark);
    await dark.screenshot({ path: `${IMAGES}dashboard-${name}.png` });
  }
  await long.cancel();
  await long.catch(() => undefined);
}

/** Of whoever takes the pictures nothing is seen. */
async function hidePaths(page: Page): Promise<void> {
  await page.locator("pre").evaluateAll((places: { textContent: string | null }[], root: string) => {
    for (const place of places)
      if (place.textContent?.includes(root) === true)
        place.textContent = place.textContent.replaceAll(root, "/srv/shop/");
  }, ROOT);
}

/** So that the form shows what it says then. */
async function fillWrongly(page: Page): Promise<void> {
  const form = page.locator("form", { hasText: "shop.printCatalog" });
  await form.getByLabel("title", { exact: true }).fill("Summer");
  await form.getByLabel("pages", { exact: true }).fill("1000");
  await form.getByLabel("paper", { exact: true }).selectOption("glossy");
  await form.getByRole("button", { name: "Call" }).click();
  await form.locator("[aria-invalid=true]").waitFor();
}

/** Work of several kinds, a little more than the workers can do. */
async function keepBusy(client: Client, signal: AbortSignal): Promise<void> {
  for (const name of ["orders/2026", "pictures/summer", "pages/index"])
    await new RemoteData({ raw: new Uint8Array(name.length * 100_000), client }).save({ url: name });
  const shop = client.with({ rpcName: "shop" });
  const jobs = [
    () => shop.call("sumOrders", "2026-11-26"),
    () => shop.call("resize", "beach.jpg"),
    () => shop.call("indexPage", "https://example.com/"),
    () => shop.call("fetchRates", ["ECB", "Fed", "BoE!", "SNB!"][Math.floor(Math.random() * 4)]),
    () => shop.with({ async: false }).call("indexPage", "https://example.com/", 20),
  ];
  while (!signal.aborted) {
    for (const begin of jobs) void begin().then(undefined, () => undefined);
    await pause(350);
  }
  await client.cancelAll();
}
