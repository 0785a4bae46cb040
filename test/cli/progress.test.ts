import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { barLine, withProgress } from "../../src/cli/data/progress.ts";

test("a bar says how far it is, how fast, and how long it will take", () => {
  const step = { label: "rows.csv", phase: "sending", bytes: 25_000_000, totalBytes: 100_000_000 };
  const line = barLine(step, { elapsedMs: 1_000, width: 100 });
  expect(line).toMatch(/^sending rows\.csv {2}\[=+ +\] {3}25% {2}25 MB of 100 MB {2}25 MB\/s {2}0:03 left$/);
  const bar = /\[(=+)( +)\]/.exec(line);
  expect(bar?.[2]?.length).toBe((bar?.[1]?.length ?? 0) * 3);
});

test("a bar fits the terminal, however narrow that is and however long the name", () => {
  const step = { label: "very/".repeat(30), bytes: 1, totalBytes: 2_000 };
  for (const width of [20, 40, 80, 100, 250])
    expect(barLine(step, { elapsedMs: 10, width }).length).toBeLessThan(width);
  expect(barLine(step, { elapsedMs: 10, width: 40 })).toMatch(/^….*1 B of 2 kB/);
});

test("an empty file is all there from the beginning", () => {
  expect(barLine({ label: "a", bytes: 0, totalBytes: 0 }, { elapsedMs: 0, width: 80 })).toMatch(
    /\[=+\] {2}100%/,
  );
});

test("where the size is not known, the bytes are counted", () => {
  expect(barLine({ label: "stdin", bytes: 5_000 }, { elapsedMs: 1_000, width: 80 })).toBe(
    "stdin  5 kB  5 kB/s",
  );
});

test("elsewhere than on a terminal, a long transfer says a line every five seconds, and a short one nothing", async () => {
  const stream = new PassThrough() as PassThrough & NodeJS.WriteStream;
  let nowMs = 0;
  await withProgress(
    async (progress) => {
      for (; nowMs <= 12_000; nowMs += 1_000)
        progress.show({ label: "big", bytes: nowMs * 1_000, totalBytes: 20_000_000 });
    },
    { stream, now: () => nowMs },
  );
  expect(String(stream.read())).toBe("big   25%  5 MB of 20 MB\nbig   50%  10 MB of 20 MB\n");
});
