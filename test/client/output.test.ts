import { afterEach, expect, test, vi } from "vitest";
import { outputOf, checkOutputOption } from "../../src/client/output/output.ts";
import { OutputOrder } from "../../src/client/output/output-order.ts";
import type { JobId } from "../../src/core/ids.ts";

const id = "01890000-0000-7000-8000-000000abcdef" as JobId;
afterEach(() => {
  vi.restoreAllMocks();
});

function written(stream: "stdout" | "stderr"): () => string {
  let text = "";
  vi.spyOn(process[stream], "write").mockImplementation((chunk: string | Uint8Array) => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    return true;
  });
  return () => text;
}

test("inherit writes the bytes as they come", () => {
  const stdout = written("stdout");
  const output = outputOf("inherit", { id, label: "f" });
  output.write("stdout", Buffer.from("50%\r"), 0);
  expect(stdout()).toBe("50%\r");
});

test("prefix puts the job before every line, also before lines that came in pieces and the last one", () => {
  const [stdout, stderr] = [written("stdout"), written("stderr")];
  const output = outputOf("prefix", { id, label: "train" });
  const euro = Buffer.from("€");
  output.write("stdout", Buffer.concat([Buffer.from("one\ntw"), euro.subarray(0, 1)]), 0);
  output.write("stderr", Buffer.from("bad\r\n"), 0);
  output.write("stdout", Buffer.concat([euro.subarray(1), Buffer.from("o\n10%\r20%\rthree")]), 0);
  output.end();
  const prefix = "[train abcdef] ";
  expect(stdout()).toBe(`${prefix}one\n${prefix}tw€o\n${prefix}10%\r${prefix}20%\r${prefix}three\n`);
  expect(stderr()).toBe(`${prefix}bad\r\n`);
});

test("prefix takes a line feed that comes in the next piece for part of the same end", () => {
  const stdout = written("stdout");
  const output = outputOf("prefix", { id, label: "f" });
  for (const piece of ["a\r", "\nb\r", "c\r", "\r", "\n", "d\r"])
    output.write("stdout", Buffer.from(piece), 0);
  output.end();
  expect(stdout().replaceAll("[f abcdef] ", "|")).toBe("|a\r\n|b\r|c\r|\r\n|d\r");
});

test("prefix shows a very long line that comes in many pieces in no time", { timeout: 20_000 }, () => {
  const stdout = written("stdout");
  const output = outputOf("prefix", { id, label: "f" });
  const piece = Buffer.alloc(1024, "x");
  for (let count = 0; count < 16 * 1024; count++) output.write("stdout", piece, 0);
  output.end();
  expect(stdout().length).toBe("[f abcdef] ".length + 16 * 1024 * 1024 + 1);
});

test("what is no output option is refused", () => {
  expect(() => checkOutputOption("loud")).toThrow(/expected "inherit", "prefix", "off" or/);
});

/** Takes pieces, and gives what is written: of each its text, which is `attempt.index` unless it is given. */
function ordered(): {
  order: OutputOrder;
  seen: string[];
  take: (attempt: number, index: number, notice?: string) => void;
} {
  const seen: string[] = [];
  const order = new OutputOrder({
    write: (_stream, bytes) => seen.push(Buffer.from(bytes).toString().trim()),
  });
  const take = (attempt: number, index: number, notice?: string): void => {
    const bytes = Buffer.from(notice ?? `${attempt}.${index}`);
    const cut = notice === undefined ? {} : { isCut: true };
    order.take({ type: "output", jobId: id, attempt, index, stream: "stdout", atMs: 0, bytes, ...cut });
  };
  return { order, seen, take };
}

test("pieces are written once and in order, however they come, and what waits for others at the end", () => {
  const { order, seen, take } = ordered();
  for (const [attempt, index] of [
    [1, 1],
    [1, 0],
    [1, 0],
    [1, 1],
    [2, 1],
    [2, 0],
    [1, 2],
    [2, 3],
  ] as const)
    take(attempt, index);
  expect(seen).toEqual(["1.0", "1.1", "2.0", "2.1"]);
  order.end();
  expect(seen).toEqual(["1.0", "1.1", "2.0", "2.1", "2.3"]);
});

test("pieces behind the end of a cut log are written as they come, also those that came before it was told", () => {
  const { order, seen, take } = ordered();
  take(1, 7);
  take(1, 2);
  take(1, 0);
  take(1, 1);
  take(1, 2, "cut");
  // Told once more, to who may have missed it.
  take(1, 2, "cut");
  take(1, 8);
  take(2, 0);
  expect(seen).toEqual(["1.0", "1.1", "1.2", expect.stringContaining("missing here"), "1.7", "1.8", "2.0"]);
  expect(order.received).toBe(6);
});

test("who had more than was kept is told what is missing once others come", () => {
  const { seen, take } = ordered();
  for (const index of [0, 1, 2, 3]) take(1, index);
  take(1, 2, "cut");
  take(1, 4);
  take(1, 6);
  take(2, 5);
  const missing = expect.stringMatching(/^\[kitchensink: output is missing here, .*\]$/);
  expect(seen).toEqual(["1.0", "1.1", "1.2", "1.3", "1.4", missing, "1.6", missing, "2.5"]);
});

test("who had more than was kept, and hears nothing more, is told that some may be missing", () => {
  const { order, seen, take } = ordered();
  for (const index of [0, 1]) take(1, index);
  take(1, 1, "cut");
  take(1, 1, "cut");
  take(1, 2);
  take(1, 1, "cut");
  order.end();
  const perhaps = expect.stringMatching(/^\[kitchensink: output may be missing here, .*\]$/);
  expect(seen).toEqual(["1.0", "1.1", "1.2", perhaps]);
});

test("the end of the log does not stand for the piece that comes next", () => {
  const { seen, take } = ordered();
  take(1, 0);
  take(1, 1, "cut");
  take(1, 1);
  expect(seen).toEqual(["1.0", "cut", "1.1"]);
});
