import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Has this process keep fetched files where they are removed, because the test runner ends it by a signal. */
export function keepTemporaryFilesHere(): void {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
  process.env["TMPDIR"] = directory;
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
}
