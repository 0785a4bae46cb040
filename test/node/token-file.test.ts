import type fs from "node:fs";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { ensureToken } from "../../src/node/start/token-file.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** What `link` fails with; undefined: it does not. */
let failure: string | undefined;
vi.mock("node:fs", async (load) => {
  const real = await load<typeof fs>();
  const linkSync: typeof fs.linkSync = (from, to) => {
    if (failure !== undefined) throw Object.assign(new Error(`${failure}: link`), { code: failure });
    real.linkSync(from, to);
  };
  return { ...real, default: real, linkSync };
});

test.each([undefined, "EPERM", "ENOTSUP"])(
  "a token is made once, for its user alone, and nothing is left beside it (link: %s)",
  (code) => {
    failure = code;
    const directory = temporaryDirectory();
    const file = join(directory, "deep", "token");
    const token = ensureToken(file);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(ensureToken(file)).toBe(token);
    expect(readFileSync(file, "utf8")).toBe(`${token}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, "deep"))).toEqual(["token"]);
  },
);

test("a token that cannot be put in place is left nowhere", () => {
  failure = "EIO";
  const directory = temporaryDirectory();
  expect(() => ensureToken(join(directory, "token"))).toThrow(/Cannot keep a token in .*EIO.*--token-file/);
  expect(readdirSync(directory)).toEqual([]);
});

test.each([undefined, "EPERM"])(
  "a token file that is empty is named, with the way out (link: %s)",
  (code) => {
    failure = code;
    const directory = temporaryDirectory();
    const file = join(directory, "token");
    writeFileSync(file, "");
    expect(() => ensureToken(file)).toThrow(
      `Cannot use the token file ${file}: it is empty or cannot be read (remove it, or choose another with --token-file)`,
    );
    expect(readdirSync(directory)).toEqual(["token"]);
  },
);
