import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputSplitter } from "../../src/worker/output-splitter.ts";

const MARKER = Buffer.from("\0secret\n");

/** What each run wrote, as the splitter sees it. */
function split(stream: Buffer, sizes: readonly number[]): string[] {
  const runs = [Buffer.alloc(0)];
  const splitter = new OutputSplitter(
    MARKER,
    (bytes) => runs.push(Buffer.concat([runs.pop() ?? Buffer.alloc(0), bytes])),
    () => runs.push(Buffer.alloc(0)),
  );
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    splitter.push(stream.subarray(at, at + size));
    at += size;
  }
  splitter.finish();
  return runs.map((run) => run.toString("latin1"));
}

test("every byte belongs to its run, however the stream is cut, and no marker is output", () => {
  // Bytes that a marker is made of, so that beginnings of markers turn up everywhere.
  const output = fc
    .array(fc.constantFrom(...MARKER, 120), { maxLength: 30 })
    .map((list) => Buffer.from(list));
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.array(output, { minLength: 1, maxLength: 8 }), sizes, (outputs, cuts) => {
      fc.pre(outputs.every((bytes) => !bytes.includes(MARKER)));
      const stream = Buffer.concat(outputs.flatMap((bytes) => [bytes, MARKER]));
      fc.pre(countOf(stream, MARKER) === outputs.length);
      expect(split(stream, cuts).slice(0, -1)).toEqual(outputs.map((bytes) => bytes.toString("latin1")));
    }),
    { numRuns: 1_000 },
  );
});

test("what looks like the beginning of a marker is given out when the stream ends", () => {
  expect(split(Buffer.from("text\0sec"), [3])).toEqual(["text\0sec"]);
});

test("output is given out as it comes, not only when the run ends", () => {
  const seen: string[] = [];
  const splitter = new OutputSplitter(
    MARKER,
    (bytes) => seen.push(Buffer.from(bytes).toString()),
    () => {},
  );
  splitter.push(Buffer.from("10%\r"));
  expect(seen).toEqual(["10%\r"]);
});

function countOf(stream: Buffer, marker: Buffer): number {
  let count = 0;
  for (let at = stream.indexOf(marker); at >= 0; at = stream.indexOf(marker, at + marker.length)) count += 1;
  return count;
}
