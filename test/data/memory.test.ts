import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { folder } from "./support/directories.ts";

const PROGRAM = fileURLToPath(new URL("./fixtures/large.mjs", import.meta.url));

test(
  "a file of 1 GB comes in, goes out and is fetched in less than 300 MB",
  { timeout: 180_000 },
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, folder()]);
    expect(Number(stdout)).toBeGreaterThan(20);
    expect(Number(stdout)).toBeLessThan(300);
  },
);
