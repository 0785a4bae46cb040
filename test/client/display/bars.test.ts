import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { barLine } from "../../../src/client/display/bar.ts";
import { Bars } from "../../../src/client/display/bars.ts";
import { fitted, LiveArea } from "../../../src/client/display/live-area.ts";

const ESCAPE = "\u001b";
/** A sequence of control, or a character. */
const PART = new RegExp(`${ESCAPE}\\[[?\\d]*[A-Za-z]|[^${ESCAPE}]`, "gu");

/** A terminal that does what the area asks of one: lines that wrap, returns, one line up, clear the line. */
class Screen {
  readonly #columns: number;
  readonly #lines: string[] = [""];
  #row = 0;
  #column = 0;
  isCursorShown = true;

  constructor(columns: number) {
    this.#columns = columns;
  }

  take(text: string): void {
    for (const [part] of text.matchAll(PART)) this.#part(part);
  }

  #part(part: string): void {
    if (part === "\n") this.#newLine();
    else if (part === "\r") this.#column = 0;
    else if (part === "\u001b[1A") this.#row -= 1;
    else if (part === "\u001b[2K") this.#lines[this.#row] = "";
    else if (part === "\u001b[?25l") this.isCursorShown = false;
    else if (part === "\u001b[?25h") this.isCursorShown = true;
    else this.#character(part);
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.#lines[this.#row] ??= "";
  }

  #character(character: string): void {
    // Only what follows the last column wraps.
    if (this.#column === this.#columns) this.#newLine();
    const line = (this.#lines[this.#row] ?? "").padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column += 1;
  }

  get shown(): string[] {
    const lines = this.#lines.map((line) => line.trimEnd());
    return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
  }
}

function terminal(columns = 40) {
  const screen = new Screen(columns);
  const stream = () => {
    const made = Object.assign(new PassThrough(), { isTTY: true, columns });
    made.setEncoding("utf8").on("data", (text: string) => screen.take(text));
    return made as unknown as NodeJS.WriteStream;
  };
  const streams = { stdout: stream(), stderr: stream() };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { screen, streams, settled };
}

test("what is printed appears above the lines, and the lines stay last", async () => {
  const { screen, streams, settled } = terminal();
  const area = new LiveArea(streams);
  area.show(["one", "two"]);
  streams.stdout.write("printed\n");
  streams.stderr.write("and an error\n");
  area.show(["one, later", "two"]);
  await settled();
  expect(screen.shown).toEqual(["printed", "and an error", "one, later", "two"]);
  expect(screen.isCursorShown).toBe(false);
  area.hide();
  streams.stdout.write("after\n");
  await settled();
  expect(screen.shown).toEqual(["printed", "and an error", "after"]);
  expect(screen.isCursorShown).toBe(true);
});

test("a line that has not ended is kept whole, and goes on where it was", async () => {
  const { screen, streams, settled } = terminal();
  const area = new LiveArea(streams);
  area.show(["bar"]);
  streams.stdout.write("half a ");
  await settled();
  expect(screen.shown).toEqual(["half a", "bar"]);
  area.show(["bar, later"]);
  streams.stdout.write("line\nand ");
  streams.stdout.write(Buffer.from("ü").subarray(0, 1));
  streams.stdout.write(Buffer.from("ü").subarray(1));
  await settled();
  expect(screen.shown).toEqual(["half a line", "and ü", "bar, later"]);
  area.hide();
  streams.stdout.write(", too\n");
  await settled();
  expect(screen.shown).toEqual(["half a line", "and ü, too"]);
});

test("a line that was begun before the lines are shown stays to be seen", async () => {
  const { screen, streams, settled } = terminal();
  streams.stdout.write("begun before");
  await settled();
  const area = new LiveArea(streams);
  area.show(["bar"]);
  streams.stdout.write("and after\n");
  await settled();
  expect(screen.shown).toEqual(["begun before", "and after", "bar"]);
  area.hide();
});

test("a job's own bar that returns to the beginning of its line stays one line", async () => {
  const { screen, streams, settled } = terminal();
  const area = new LiveArea(streams);
  area.show(["bar"]);
  for (const percent of [0, 50, 100]) streams.stdout.write(`\r${percent} %`);
  await settled();
  expect(screen.shown).toEqual(["100 %", "bar"]);
  area.hide();
});

test("lines are cut to the width of the terminal, also wide characters", async () => {
  expect(fitted("short", 10)).toBe("short");
  expect(fitted("longer than that", 10)).toBe("longer th…");
  expect(fitted("漢字漢字漢字", 8)).toBe("漢字漢…");
});

test("whoever writes with a callback is called back, and gets what the stream says", async () => {
  const { streams } = terminal();
  const area = new LiveArea(streams);
  area.show(["bar"]);
  let calls = 0;
  await new Promise<void>((resolve) => {
    const called = (): void => void (++calls === 2 && resolve());
    expect(streams.stdout.write("whole\n", called)).toBe(true);
    expect(streams.stdout.write("half", "utf8", called)).toBe(true);
  });
  area.hide();
});

test("a bar says how far it is, how long it may take, and how long it took", () => {
  const shown = { label: "rows", done: 25, total: 100, elapsedMs: 5_000 };
  expect(barLine(shown, 60)).toBe(`rows  [${"=".repeat(6)}${" ".repeat(18)}]   25%  25 of 100  0:15 left`);
  expect(barLine({ ...shown, done: 100 }, 70)).toMatch(/^rows {2}\[=+\] {2}100% {2}100 of 100 {2}in 0:05$/);
  expect(barLine({ ...shown, total: null }, 60)).toBe("rows  25  0:05");
  expect(barLine({ ...shown, done: 1_234_567.891, total: null, label: "" }, 60)).toBe("1,234,567.89  0:05");
  expect(barLine({ ...shown, done: 0 }, 60)).toMatch(/ {3}0% {2}0 of 100 {2}0:05$/);
  expect(barLine({ ...shown, total: 0, done: 0 }, 60)).toMatch(/100%/);
  for (const columns of [20, 40, 60, 100])
    expect(barLine(shown, columns).length).toBeLessThanOrEqual(Math.max(columns, 40));
});

test("there are at most eight bars, and the others are counted; an ended one goes, or stays as a line", async () => {
  const { screen, streams, settled } = terminal(60);
  let nowMs = 0;
  const bars = new Bars({ area: new LiveArea(streams), stream: streams.stderr, now: () => (nowMs += 1_000) });
  const all = Array.from({ length: 10 }, (_, at) => ({ at }));
  for (const one of all) bars.show(one, { done: one.at, total: null, label: `bar ${one.at}` });
  await expect.poll(() => screen.shown.at(-1)).toBe("… and 2 more");
  expect(screen.shown).toHaveLength(9);
  for (const one of all.slice(1)) bars.end(one);
  bars.end(all[0]!, { isKept: true });
  await settled();
  expect(screen.shown).toEqual([expect.stringContaining("bar 0")]);
});

test("without a terminal a bar is a line every few seconds", () => {
  const stream = new PassThrough().setEncoding("utf8");
  const area = new LiveArea({ stdout: process.stdout, stderr: process.stderr });
  Object.defineProperty(area, "canShow", { value: false });
  let nowMs = 0;
  const bars = new Bars({ area, stream, now: () => nowMs });
  const one = {};
  for (; nowMs <= 12_000; nowMs += 1_000) bars.show(one, { done: nowMs / 1_000, total: 100, label: "rows" });
  bars.end(one);
  expect(String(stream.read()).trimEnd().split("\n")).toEqual([
    expect.stringContaining("5 of 100"),
    expect.stringContaining("10 of 100"),
  ]);
});
