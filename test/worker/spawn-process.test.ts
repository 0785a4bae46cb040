import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("fixtures/no-descriptors.ts", import.meta.url));
const run = promisify(execFile);

test("a process that has no file descriptor left says so when it starts a worker, and lives on", async () => {
  const command = `ulimit -n 100 && exec "${process.execPath}" --import kitchensink/register "${PROGRAM}"`;
  const { stdout } = await run("/bin/sh", ["-c", command]);
  expect(stdout.trim().split("\n")).toEqual([
    "started",
    "Error: Cannot start the process of a worker: no file descriptor is left for its pipes (raise `ulimit -n`)",
    "started",
  ]);
});
