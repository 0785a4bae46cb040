import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { StreamedResult } from "../../src/worker/child/streamed-result.ts";

const WINDOW = 64;
const encode = (item: unknown): Uint8Array => Buffer.from(String(item));

class Sent {
  readonly items: string[] = [];
  isOpen = false;
  waiting = 0;
  readonly open = (): void => void (this.isOpen = true);
  readonly post = (bytes: Uint8Array): void => {
    this.waiting += 1;
    this.items.push(Buffer.from(bytes).toString());
  };
  readonly flush = (): void => void (this.waiting = 0);
}

/** Until everything that does not wait for the reader has happened. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await turn();
}

async function* numbers(): AsyncGenerator<number, string> {
  for (let n = 0; ; n++) yield n;
}

test("a generator stops when a window of items is unread, and goes on by as many as were read", async () => {
  const sent = new Sent();
  const streamed = new StreamedResult(numbers(), encode, sent);
  const ran = streamed.run();
  await settle();
  expect(sent.items).toHaveLength(WINDOW);
  streamed.read(10, false);
  await settle();
  expect(sent.items).toHaveLength(WINDOW + 10);
  expect(sent.waiting).toBe(0);
  streamed.stop();
  expect(await ran).toBeUndefined();
});

test("a few large items fill the window too", async () => {
  const sent = new Sent();
  const streamed = new StreamedResult(numbers(), () => Buffer.alloc(1024 * 1024), sent);
  const ran = streamed.run();
  await settle();
  expect(sent.items).toHaveLength(4);
  streamed.read(1, false);
  await settle();
  expect(sent.items).toHaveLength(5);
  streamed.stop();
  await ran;
});

test("what is yielded before a long wait leaves at once", async () => {
  const sent = new Sent();
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const streamed = new StreamedResult(
    (async function* () {
      yield "early";
      await gate;
    })(),
    encode,
    sent,
  );
  const ran = streamed.run();
  await settle();
  expect([sent.items, sent.waiting]).toEqual([["early"], 0]);
  open();
  await ran;
});

test("a generator that never waits still lets its reader be heard", async () => {
  const sent = new Sent();
  let made = 0;
  const streamed = new StreamedResult(
    (async function* () {
      for (;;) {
        const endMs = performance.now() + 2;
        while (performance.now() < endMs);
        yield (made += 1);
      }
    })(),
    encode,
    sent,
  );
  const ran = streamed.run();
  while (sent.items.length === 0) await turn();
  streamed.stop();
  await ran;
  expect(made).toBeLessThan(WINDOW);
});

test("it ends with what the generator returns or throws, and is closed when an item cannot be encoded", async () => {
  const returning = new StreamedResult(
    (function* () {
      yield 1;
      return "result";
    })(),
    encode,
    new Sent(),
  );
  expect(await returning.run()).toBe("result");
  let isClosed = false;
  const failing = new StreamedResult(
    (async function* () {
      try {
        yield 1;
      } finally {
        isClosed = true;
      }
    })(),
    () => {
      throw new RangeError("cannot encode");
    },
    new Sent(),
  );
  await expect(failing.run()).rejects.toThrow(new RangeError("cannot encode"));
  expect(isClosed).toBe(true);
});
