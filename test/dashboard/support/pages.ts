import axe from "axe-core";
import type { Page } from "playwright-core";

export const PHONE: { readonly viewport: { readonly width: number; readonly height: number } } = {
  viewport: { width: 360, height: 740 },
};

export const text = (page: Page): Promise<string> => page.locator("main").innerText();

export const goTo = (page: Page, path: string): Promise<void> =>
  page.evaluate((hash) => void (location.hash = hash), `#/${path}`);

export const widthOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth);

/** What axe has against the page, where it is serious. The page's visit bypasses its policy. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: {
        run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
      };
    };
    const { violations } = await checker.run();
    return violations
      .filter(({ impact }) => ["serious", "critical"].includes(impact))
      .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`);
  });
}
