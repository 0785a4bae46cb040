import { spawnSync } from "node:child_process";
import { appendFileSync, statSync, truncateSync } from "node:fs";
import { expect, onTestFinished } from "vitest";
import { temporaryDirectory } from "./temporary.ts";

const MIB = 1024 * 1024;

/** Whether this process may mount. Tests that need a disk of their own are skipped elsewhere. */
export const canMount: boolean =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" }).status ===
    0;

/** A disk in memory of so many MiB, mounted on a fresh folder; gone with the test. */
export function mountDisk(mebibytes: number): string {
  const path = temporaryDirectory();
  const options = ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=0700`, "tmpfs", path];
  expect(spawnSync("mount", options, { stdio: "ignore" }).status).toBe(0);
  onTestFinished(() => void spawnSync("umount", ["--lazy", path]));
  return path;
}

/** Has a file take all the room that is left on its disk, but for so many bytes (in pages of 4 KiB). */
export function fillDisk(path: string, leaveBytes = 0): void {
  for (let bytes = 4 * MIB; bytes > 0; bytes = Math.floor(bytes / 2))
    try {
      for (;;) appendFileSync(path, Buffer.alloc(bytes));
    } catch {
      // Less, then.
    }
  if (leaveBytes > 0) truncateSync(path, statSync(path).size - leaveBytes);
}
