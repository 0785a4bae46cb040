import { expect, test, vi } from "vitest";
import { bars } from "../../../src/client/display/bars.ts";
import { LateBar } from "../../../src/client/display/late-bar.ts";

test("a bar that is over before what draws it is loaded leaves its line all the same, once", async () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const bar = new LateBar();
  bar.show({ done: 3, total: 3, label: "squares" });
  bar.end({ isKept: true });
  await expect.poll(() => write.mock.calls.length).toBeGreaterThan(0);
  const written = write.mock.calls.map(([text]) => String(text)).join("");
  write.mockRestore();
  expect(written.match(/squares .*3 of 3/g)).toHaveLength(1);
});

test("a bar that is over is not shown again by progress that comes late", async () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const show = vi.spyOn(bars, "show");
  try {
    const bar = new LateBar();
    bar.show({ done: 1, total: 3, label: "squares" });
    await expect.poll(() => show.mock.calls.length).toBe(1);
    bar.end({ isKept: true });
    bar.show({ done: 2, total: 3, label: "squares" });
    expect(show).toHaveBeenCalledTimes(1);
  } finally {
    show.mockRestore();
    write.mockRestore();
  }
});
