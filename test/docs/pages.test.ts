import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { isErrorCode } from "../../src/core/errors.ts";
import { PACKAGE_VERSION } from "../../src/core/version.ts";
import { anchorsOf, pages, readPage, ROOT } from "./support/markdown.ts";

const LINK = /\]\(([^)\s]+)\)/g;
const PATH = /`((?:src|lua|test|docs|examples)\/[\w./-]+)`/g;

describe.each(pages())("%s", (page) => {
  test("links only to files that are there", () => {
    const links = [...readPage(page).matchAll(LINK)].map(([, link = ""]) => link.replace(/#.*$/, ""));
    const relative = links.filter((link) => link !== "" && !/^[a-z]+:/.test(link));
    expect(relative.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  });

  test("links only to headings that are there", () => {
    const links = [...readPage(page).matchAll(LINK)].map(([, link = ""]) => link);
    const broken = links.filter((link) => {
      const [path = "", anchor] = link.split("#");
      if (anchor === undefined || /^[a-z]+:/.test(link)) return false;
      const target = path === "" ? page : join(dirname(page), path);
      return target.endsWith(".md") && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("names only error codes that there are", () => {
    const codes = readPage(page).match(/\bKS_[A-Z_]+[A-Z]\b/g) ?? [];
    expect(codes.filter((code) => !isErrorCode(code))).toEqual([]);
  });

  test("names only files and folders of the project that are there", () => {
    const paths = [...readPage(page).matchAll(PATH)].map(([, path = ""]) => path);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test("docs/README.md leads to every page, and says of each what it answers", () => {
  const index = readPage("docs/README.md");
  const missing = pages().filter((page) => {
    if (page === "README.md" || page === "docs/README.md" || page.startsWith("docs/reference/")) return false;
    const path = page.startsWith("docs/") ? page.slice("docs/".length) : `../${page}`;
    return !new RegExp(`\\]\\(${path.replaceAll(".", String.raw`\.`)}\\)[^|]*\\| .{20,}`).test(index);
  });
  expect(missing).toEqual([]);
  expect(index).toContain("](reference/README.md)");
});

test("the version in the code is the package's", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(PACKAGE_VERSION).toBe(version);
});

test("the changelog begins with this version", () => {
  expect(/^## (\S+)/m.exec(readPage("CHANGELOG.md"))?.[1]).toBe(PACKAGE_VERSION);
});
