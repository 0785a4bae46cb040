import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, FrameReader } from "../../src/codec/frames.ts";

test("bodies come out as they went in, however the stream is cut", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(bodies, cuts, (sent, sizes) => {
      const stream = Buffer.concat(sent.map(frame));
      const reader = new FrameReader(1_000);
      const received: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.push(stream.subarray(at, at + size), (body) => received.push(Uint8Array.from(body)));
        at += size;
      }
      expect(received).toEqual(sent.map((body) => Uint8Array.from(body)));
      expect(reader.isInsideFrame).toBe(false);
    }),
  );
});

test("a frame that claims more than the limit is refused before it is read", () => {
  const reader = new FrameReader(100);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(101, 0);
  expect(() => reader.push(header, () => {})).toThrow(/limit is 100/);
});
