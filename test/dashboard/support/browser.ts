import { execFileSync } from "node:child_process";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";

/** Debian's Chromium, for the tests of a file. */
export function useBrowser(): () => Browser {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
    // Root, and containers, have no sandbox.
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--js-flags=--expose-gc"] });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
  });
  return () => browser;
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained of: violations of the policy, errors of scripts. */
  readonly complaints: readonly string[];
}

/** A page in a fresh profile, closed with the test, which fails when the browser had something to complain of. */
export async function visit(
  browser: Browser,
  link: URL | string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  // What is waited for is told before the test is over.
  page.setDefaultTimeout(8_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // Refusals of the node are part of what is tested.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  await page.goto(String(link));
  return { page, complaints };
}
