/** What is installed with the package. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
}

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
/** A link says of itself alone where it leads. */
const isForUsers = ({ dev, link, resolved = "" }: Locked): boolean =>
  link === true ? packages[resolved]?.dev !== true : dev !== true;
const installed = Object.entries(packages).filter(([path, entry]) => path !== "" && isForUsers(entry));
const { scripts, ...manifest } = JSON.parse(read("package.json")) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

describe("attack 16: what users install", () => {
  test("attack 16: runs no script of a dependency when it is installed", () => {
    expect(installed.length).toBeGreaterThan(Object.keys(manifest.dependencies).length);
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual(
      [],
    );
  });

  test("attack 16: nor one of its own", () => {
    for (const name of [
      "preinstall",
      "install",
      "postinstall",
      "prepublish",
      "preprepare",
      "prepare",
      "postprepare",
    ])
      expect(scripts[name], name).toBeUndefined();
  });

  test("attack 16: comes from a registry, each package with its hash, and not from anywhere else", () => {
    for (const [path, { resolved, integrity, link, optional }] of installed) {
      expect(link, path).toBeUndefined();
      // Of other platforms' packages this project's registry need not know the hash.
      if (optional !== true) expect(integrity, path).toMatch(/^sha512-/);
      // A lock file may leave the address out: then it is the registry in use.
      if (resolved !== undefined) expect(resolved, path).toMatch(/^https:\/\//);
    }
    for (const [name, version] of Object.entries(manifest.dependencies))
      expect(version, name).toMatch(/^[\^~]\d+\.\d+\.\d+$/);
  });

  test("attack 16: is looked up among known vulnerabilities by the one gate that every change passes", () => {
    const gate = read("scripts/check.mjs");
    expect(gate).toContain('["vulnerable dependencies", audit]');
    expect(gate).toContain('["audit", "--omit=dev", "--json"]');
    expect(read(".ci/run")).toContain("npm run check -- --static");
  });
});
