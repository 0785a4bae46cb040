import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { withProgress } from "../../src/cli/data/progress.ts";
import { barLine } from "../../src/client/display/bar.ts";
import { Bars } from "../../src/client/display/bars.ts";
import { LiveArea } from "../../src/client/display/live-area.ts";

const bytes = (done: number, total: number | null, label = "rows.csv") =>
  ({ label, done, total, unit: "bytes" }) as const;

test("a transfer says how far it is, how fast, and how long it will take", () => {
  const line = barLine({ ...bytes(25_000_000, 100_000_000), elapsedMs: 1_000 }, 100);
  expect(line).toMatch(/^rows\.csv {2}\[=+ +\] {3}25% {2}25 MB of 100 MB {2}25 MB\/s {2}0:03 left$/);
});

test("it fits the terminal, however narrow that is and however long the name, and keeps its end", () => {
  const shown = { ...bytes(1, 2_000, "very/".repeat(30)), elapsedMs: 10 };
  for (const columns of [20, 40, 80, 100, 250])
    expect(barLine(shown, columns).length).toBeLessThanOrEqual(columns);
  expect(barLine(shown, 50)).toMatch(/^….*1 B of 2 kB  100 B\/s  0:20 left$/);
});

test("an empty file is all there from the beginning, and where the size is not known, the bytes are counted", () => {
  expect(barLine({ ...bytes(0, 0), elapsedMs: 0 }, 80)).toBe("rows.csv  100%  0 B of 0 B  0:00");
  expect(barLine({ ...bytes(5_000, null), elapsedMs: 1_000 }, 80)).toBe("rows.csv  5 kB  5 kB/s  0:01");
});

test("what would move the cursor is shown by its code", () => {
  expect(barLine({ ...bytes(1, null, "a\u001b[2Jb\n"), elapsedMs: 0 }, 80)).toBe(
    "a\\u{1b}[2Jb\\u{a}  1 B  0:00",
  );
});

test("elsewhere than on a terminal, a long transfer says a line every five seconds, each phase with its own speed, and a short one nothing", async () => {
  const stream = new PassThrough().setEncoding("utf8");
  const area = new LiveArea({ stdout: process.stdout, stderr: process.stderr });
  Object.defineProperty(area, "canShow", { value: false });
  let nowMs = 0;
  await withProgress(
    async (progress) => {
      for (; nowMs <= 6_000; nowMs += 1_000)
        progress.show({ label: "big", phase: "reading", bytes: nowMs * 1_000, totalBytes: 20_000_000 });
      for (let sinceMs = 0; sinceMs <= 6_000; sinceMs += 1_000, nowMs += 1_000)
        progress.show({ label: "big", phase: "sending", bytes: sinceMs * 2_000, totalBytes: 20_000_000 });
      progress.show({ label: "small", bytes: 1 });
    },
    { shows: new Bars({ area, stream, now: () => nowMs }) },
  );
  expect(String(stream.read()).trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^reading big .* 25% {2}5 MB of 20 MB {2}1 MB\/s {2}0:15 left$/),
    expect.stringMatching(/^sending big .* 50% {2}10 MB of 20 MB {2}2 MB\/s {2}0:05 left$/),
  ]);
});
