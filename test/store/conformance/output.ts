import { expect, test } from "vitest";
import type { JobId } from "../../../src/core/ids.ts";
import type { OutputPiece, OutputRow, Store } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  HEAD,
  inboxOf,
  N1,
  N2,
  newId,
  type OpenStore,
  register,
  runningJob,
  shown,
  withStore,
} from "../support/harness.ts";

function row(id: JobId, index: number, text: string, options: Partial<OutputPiece> = {}): OutputRow {
  return {
    id,
    piece: { attempt: 1, index, stream: "stdout", bytes: bytes(text), atMs: 1000 + index, ...options },
  };
}

async function log(store: Store, id: JobId, from = 0): Promise<string[]> {
  const pieces = await store.readOutput(id, from);
  return pieces.map((piece) => `${piece.attempt}.${piece.index} ${piece.stream} ${shown(piece.bytes)}`);
}

export function describeOutput(open: OpenStore): void {
  test(
    "output is read again as it was appended, from any piece on",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1);
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await store.appendOutput(N1, [row(id, 0, "one\n"), row(id, 1, "two", { stream: "stderr" })]);
      await store.appendOutput(N1, [row(id, 2, "", { bytes: all })]);
      const pieces = await store.readOutput(id, 0);
      expect(pieces.map(({ attempt, index, stream, atMs }) => ({ attempt, index, stream, atMs }))).toEqual([
        { attempt: 1, index: 0, stream: "stdout", atMs: 1000 },
        { attempt: 1, index: 1, stream: "stderr", atMs: 1001 },
        { attempt: 1, index: 2, stream: "stdout", atMs: 1002 },
      ]);
      expect(pieces.slice(0, 2).map((piece) => shown(piece.bytes))).toEqual(["one\n", "two"]);
      expect(Buffer.from(pieces[2]!.bytes)).toEqual(Buffer.from(all));
      expect(await log(store, id, 1)).toHaveLength(2);
      expect(await log(store, id, 3)).toEqual([]);
      expect(await log(store, newId())).toEqual([]);
    }),
  );

  test(
    "pieces of fenced attempts and other nodes are dropped, and so are repeated ones",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1, { queue: "again" });
      await store.appendOutput(N1, [row(id, 0, "first")]);
      await store.appendOutput(N1, [row(id, 0, "first"), row(id, 1, "second")]);
      await store.appendOutput(N2, [row(id, 2, "not mine")]);
      await store.finish(N1, [{ id, attempt: 1, next: "queued", deaths: 0, throws: 1 }]);
      await store.appendOutput(N1, [row(id, 2, "late")]);
      await claim(store, N1, { queues: ["again"] });
      await store.appendOutput(N1, [row(id, 3, "late"), row(id, 0, "anew", { attempt: 2 })]);
      await store.finish(N1, [{ id, attempt: 2, next: "succeeded", outcome: bytes("") }]);
      await store.appendOutput(N1, [row(id, 1, "after the end", { attempt: 2 })]);
      expect(await log(store, id)).toEqual(["1.0 stdout first", "1.1 stdout second", "2.0 stdout anew"]);
    }),
  );

  test(
    "a log keeps as many bytes as the limit says, then one piece on stderr says that it was cut",
    withStore(
      open,
      async ({ store }) => {
        await register(store, N1);
        const id = await runningJob(store, N1);
        await store.appendOutput(N1, [row(id, 0, "12345678"), row(id, 1, "abcd"), row(id, 2, "x")]);
        await store.appendOutput(N1, [row(id, 3, "y")]);
        const pieces = await log(store, id);
        expect(pieces.slice(0, 2)).toEqual(["1.0 stdout 12345678", "1.1 stdout ab"]);
        expect(pieces).toHaveLength(3);
        expect(pieces[2]).toMatch(/^1\.2 stderr \n\[kitchensink: .* limit of 10 bytes\]\n$/);
        expect((await store.readOutput(id, 0)).map(({ isCut }) => isCut)).toEqual([
          undefined,
          undefined,
          true,
        ]);
        expect(await log(store, id, -1)).toEqual(pieces.slice(2));
      },
      { outputLimitBytes: 10 },
    ),
  );

  test(
    "a log that is exactly full is not cut",
    withStore(
      open,
      async ({ store }) => {
        await register(store, N1);
        const id = await runningJob(store, N1);
        await store.appendOutput(N1, [row(id, 0, "12345"), row(id, 1, "67890")]);
        expect(await log(store, id)).toEqual(["1.0 stdout 12345", "1.1 stdout 67890"]);
      },
      { outputLimitBytes: 10 },
    ),
  );

  test(
    "watchers get every piece in order, beyond the log's limit too",
    withStore(
      open,
      async ({ store }) => {
        const inbox = await inboxOf(store, HEAD);
        await register(store, N1);
        const id = await runningJob(store, N1);
        await store.appendOutput(N1, [row(id, 1, "two two two two"), row(id, 2, "three")]);
        const events = [await inbox.next(), await inbox.next()];
        expect(events.map((event) => event.type === "output" && shown(event.piece.bytes))).toEqual([
          "two two two two",
          "three",
        ]);
      },
      { outputLimitBytes: 5 },
    ),
  );
}
