/** Forms that call registered functions, made of what these tell of their arguments. */
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { useBrowser, visit } from "./support/browser.ts";
import { goTo, PHONE, seriousFaults, text, widthOf } from "./support/pages.ts";

const FORMS = fileURLToPath(new URL("fixtures/forms.ts", import.meta.url));

const browser = useBrowser();
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ modules: [FORMS] });
});
afterAll(() => cluster.close());

const open = async (size: object = {}): Promise<Page> => {
  const { page } = await visit(browser(), cluster.nodes[0]!.dashboardLink(), size);
  await expect.poll(() => text(page)).toContain("Workers busy");
  await goTo(page, "functions");
  await expect.poll(() => page.locator("form").count()).toBe(4);
  return page;
};
const formOf = (page: Page, name: string): Locator => page.locator("form", { hasText: `forms.${name}(` });
const field = (form: Locator, name: string): Locator => form.getByLabel(name, { exact: true });
const call = (form: Locator): Promise<void> => form.getByRole("button", { name: "Call" }).click();
const result = (form: Locator): Promise<string> => form.locator("[role=status] pre").innerText();
/** What a screen reader tells of a field beside its name. */
const told = (input: Locator): Promise<string> =>
  input.evaluate((element) =>
    (element.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join(" ")
      .trim(),
  );

test("each argument has a field of its kind, with what it takes, its default and its description", async () => {
  const form = formOf(await open(), "order");
  expect(await form.innerText()).toContain("Orders some of a thing.");
  expect(await told(field(form, "what"))).toBe("What is wanted (text, at least 2 characters)");
  expect(await told(field(form, "count"))).toBe("whole number, at least 1, at most 20, default 1");
  expect(await told(field(form, "weight"))).toBe("number, may be left out");
  expect(await told(field(form, "paper"))).toBe("How it is wrapped (choice, may be left out)");
  expect(await told(field(form, "labels"))).toBe("JSON, may be left out");
  expect(await field(form, "paper").locator("option").allInnerTexts()).toEqual([
    "leave it out",
    "plain",
    "gift",
  ]);
  expect(await field(form, "isUrgent").locator("option").allInnerTexts()).toEqual([
    "choose one",
    "true",
    "false",
  ]);
  expect(await field(form, "what").getAttribute("aria-required")).toBe("true");
});

test("what is typed arrives as what it is, and what is left out has its default", async () => {
  const form = formOf(await open(), "order");
  await field(form, "what").fill("1 hat");
  await field(form, "isUrgent").selectOption("false");
  await field(form, "what").press("Enter");
  await expect.poll(() => result(form)).toContain("{");
  expect(JSON.parse(await result(form))).toEqual({ what: "1 hat", count: 1, isUrgent: false });
  await field(form, "count").fill("3");
  await field(form, "weight").fill("0.5");
  await field(form, "paper").selectOption("gift");
  await field(form, "labels").fill('["a"]');
  await call(form);
  await expect.poll(() => result(form)).toContain("gift");
  expect(JSON.parse(await result(form))).toEqual({
    what: "1 hat",
    count: 3,
    weight: 0.5,
    paper: "gift",
    isUrgent: false,
    labels: ["a"],
  });
});

test("what is wrong is told at its field, by the page and by the function's schema", async () => {
  const page = await open();
  const form = formOf(page, "order");
  await field(form, "what").fill("h");
  await field(form, "count").fill("many");
  await field(form, "labels").fill("a, b");
  await call(form);
  await expect.poll(() => told(field(form, "count"))).toContain("Expected a number");
  expect(await told(field(form, "labels"))).toContain("This is no JSON");
  expect(await told(field(form, "isUrgent"))).toContain("A value is needed");
  expect(await field(form, "what").getAttribute("aria-invalid")).toBe("false");
  const focused = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.id);
  await expect.poll(focused).toBe(await field(form, "count").getAttribute("id"));
  await field(form, "count").fill("50");
  await field(form, "labels").fill("[1]");
  await field(form, "isUrgent").selectOption("true");
  await call(form);
  await expect.poll(() => field(form, "what").getAttribute("aria-invalid")).toBe("true");
  expect(await told(field(form, "what"))).toMatch(/Too small/);
  expect(await told(field(form, "count"))).toMatch(/Too big/);
  expect(await told(field(form, "labels"))).toMatch(/labels\.0: .*expected string/);
  expect(await form.getByRole("status").innerText()).toContain("Not called");
  await field(form, "what").fill("hat");
  await field(form, "count").fill("5");
  await field(form, "labels").fill("");
  await call(form);
  await expect.poll(() => result(form)).toContain("hat");
  expect(await form.locator("[aria-invalid=true]").count()).toBe(0);
});

test("one argument that is no object has a field too", async () => {
  const form = formOf(await open(), "square");
  await field(form, "argument").fill("7");
  await call(form);
  await expect.poll(() => result(form)).toBe("49");
  await field(form, "argument").fill("700");
  await call(form);
  await expect.poll(() => told(field(form, "argument"))).toMatch(/Too big/);
});

test("arguments without names are one JSON text; others are on demand, with what was typed so far", async () => {
  const page = await open();
  const list = formOf(page, "join");
  expect(await list.getByRole("button", { name: "As JSON" }).count()).toBe(0);
  await field(list, "Arguments as JSON").fill('["-", "a", "b"]');
  await call(list);
  await expect.poll(() => result(list)).toBe('"a-b"');
  await field(list, "Arguments as JSON").fill("3");
  await call(list);
  await expect.poll(() => told(field(list, "Arguments as JSON"))).toContain("Expected a list, or an object");

  const named = formOf(page, "add");
  await field(named, "a").fill("40");
  const button = named.getByRole("button", { name: "As JSON" });
  await button.click();
  expect(await button.getAttribute("aria-pressed")).toBe("true");
  expect(await field(named, "Arguments as JSON").inputValue()).toBe('{"a":40}');
  await field(named, "Arguments as JSON").fill("[40, 2]");
  await call(named);
  await expect.poll(() => result(named)).toBe("42");
  await button.click();
  expect(await field(named, "a").inputValue()).toBe("40");
});

test.each([
  ["dark", {}],
  ["light", PHONE],
] as const)(
  "nothing serious is against them, wrong fields among them, and they fit: %s",
  async (colorScheme, size) => {
    const page = await open({ colorScheme, bypassCSP: true, ...size });
    await call(formOf(page, "order"));
    await expect.poll(() => page.locator("[aria-invalid=true]").count()).toBeGreaterThan(0);
    await formOf(page, "add").getByRole("button", { name: "As JSON" }).click();
    expect(await seriousFaults(page)).toEqual([]);
    expect(await widthOf(page)).toBeLessThanOrEqual(page.viewportSize()!.width);
  },
);
