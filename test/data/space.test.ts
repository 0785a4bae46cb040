import { spawnSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import {
  bytesOf,
  factsOf,
  folder,
  openDirectory,
  pulling,
  save,
  upload,
  url,
} from "./support/directories.ts";

const MIB = 1024 * 1024;

const mount = (path: string): boolean =>
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", path], { stdio: "ignore" }).status === 0;

const canMount =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" }).status ===
    0;

/** A disk of 160 MiB, of which 64 are a reserve. */
function disk(): string {
  const path = folder();
  expect(mount(path)).toBe(true);
  onTestFinished(() => {
    spawnSync("umount", ["--lazy", path]);
  });
  return path;
}

test.skipIf(!canMount)(
  "what has no room is refused before it begins (skipped where no disk can be mounted)",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    const tooLarge = {
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(/has \d+\.\d MB free, and \d+\.\d MB are needed/),
    };
    const facts = { ...factsOf("x", bytesOf(10)), size: 120 * MIB };
    await expect(
      directory.receive(new PassThrough(), upload("x", { size: 120 * MIB })),
    ).rejects.toMatchObject(tooLarge);
    await expect(directory.pull(pulling(facts, ["http://127.0.0.1:1/x"]))).rejects.toMatchObject(tooLarge);
    expect(directory.arrivals()).toEqual([]);
    // Two that have room alone, and none together.
    const first = new PassThrough();
    const arrived = directory.receive(first, upload("x", { size: 60 * MIB }));
    const given = arrived.catch(() => {});
    await expect.poll(() => directory.arrivals()).toHaveLength(1);
    await expect(directory.receive(new PassThrough(), upload("y", { size: 60 * MIB }))).rejects.toMatchObject(
      tooLarge,
    );
    first.destroy();
    await given;
  },
);

test.skipIf(!canMount)("a body of unknown length is refused when the reserve is reached", async () => {
  const { directory } = await openDirectory({ path: disk() });
  const pieces = Array.from({ length: 140 }, () => Buffer.alloc(MIB));
  await expect(directory.receive(Readable.from(pieces), upload("x"))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("the disk of the data directory has"),
  });
  expect(readdirSync(join(directory.path, ".kitchensink/incoming"))).toEqual([]);
});

test.skipIf(!canMount)(
  "a disk that gets full while data arrives ends the arrival, and it can be sent again",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    const body = new PassThrough();
    const arrived = directory.receive(body, upload("x"));
    const failed = expect(arrived).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringContaining("the disk of the data directory has"),
    });
    body.write(bytesOf(MIB));
    await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(MIB);
    const other = join(directory.path, ".other");
    expect(() => writeFileSync(other, Buffer.alloc(200 * MIB))).toThrow("ENOSPC");
    body.end(bytesOf(4 * MIB));
    await failed;
    expect(readdirSync(join(directory.path, ".kitchensink/incoming"))).toEqual([]);
    rmSync(other);
    await save(directory, "x", bytesOf(MIB));
    expect(directory.find(url("x"))?.size).toBe(MIB);
  },
);
