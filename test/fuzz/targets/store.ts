/** What comes back from a store: replies of its scripts, its events, its address, and a data directory's journal. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { Journal } from "../../../src/data/journal.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { parseEvents, parsePiece, parseWakes } from "../../../src/store/redis/events.ts";
import {
  parseCancelReply,
  parseClaimReply,
  parseExpiring,
  parseFinishReply,
  parseIds,
  parseNodes,
  parseNow,
  parseRecord,
  parseRegisterReply,
  parseRunning,
  parseSubmitReply,
  parseSwept,
  parseWaiting,
} from "../../../src/store/redis/replies.ts";
import type { JobId, NodeName } from "../../../src/core/ids.ts";
import { texts } from "../support/made.ts";
import type { Target } from "../support/target.ts";

const packr = new Packr({ useRecords: false });
const ID = "01890000-0000-7000-8000-000000000000";
const utf8 = (...all: readonly string[]): Buffer[] => all.map((one) => Buffer.from(one));

/** A reply as the driver gives it: numbers, nil, bytes, and lists of them. It comes as msgpack, which can be changed. */
function replyOf(input: Buffer): unknown {
  const inBytes = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inBytes);
    if (value instanceof Uint8Array) return Buffer.from(value);
    if (typeof value === "string") return Buffer.from(value);
    return typeof value === "number" ? value : null;
  };
  try {
    return inBytes(packr.unpack(input));
  } catch {
    return input;
  }
}

const claimHead = Buffer.concat([Buffer.alloc(8), Buffer.of(1), Buffer.from(ID), Buffer.alloc(12)]);
const REPLIES: readonly unknown[] = [
  ["queued"],
  ["queued", "known", "queued"],
  ["conflict", ID],
  ["missing", "A".repeat(43)],
  "lapsed",
  [claimHead, Buffer.concat([Buffer.of(0, 0, 0, 0, 3), Buffer.from("spec")])],
  ["committed", ["cancelled", Buffer.from("outcome")], "fenced"],
  ["cancelled", "cancelling", "stopping", "final", "unknown"],
  [ID.repeat(3), " ".repeat(36) + ID],
  [
    "succeeded",
    "default",
    "label",
    "1e12",
    "1",
    "0",
    "node1",
    "1",
    "2",
    "3",
    "",
    Buffer.from("outcome"),
    null,
  ],
  ["refused", "4 abcdef01"],
  "registered",
  [
    [ID, 1, 0, "node1"],
    [ID, "default", "a\nb"],
  ],
  ["node1", 12345, 0, "{}"],
];
const READERS: readonly ((reply: unknown) => unknown)[] = [
  (reply) => parseSubmitReply(reply, 2),
  parseClaimReply,
  (reply) => parseFinishReply(reply, 2),
  parseCancelReply,
  parseIds,
  (reply) => parseRecord(ID as JobId, reply),
  parseRegisterReply,
  parseSwept,
  parseNodes,
  parseRunning,
  parseExpiring,
  parseWaiting,
  parseNow,
];

const EVENT_READERS: readonly ((input: Buffer) => unknown)[] = [
  (input) => Array.from(parseEvents(input)),
  (input) => parseWakes(input.toString(), "node1" as NodeName),
  parsePiece,
];

function eventBytes(...strings: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    strings.flatMap((one) => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(Buffer.byteLength(one));
      return [head, Buffer.from(one as string)];
    }),
  );
}

export const storeTargets: readonly Target[] = [
  {
    name: "redis-replies",
    refusals: ["KS_INTERNAL"],
    recordings: () => REPLIES.map((reply) => packr.pack(reply)),
    made: fc
      .array(
        fc.oneof(
          fc.constantFrom("queued", "committed", ID, ""),
          fc.integer(),
          fc.constant(null),
          fc.uint8Array(),
          fc.array(fc.string()),
        ),
      )
      .map((reply) => packr.pack(reply)),
    read: (input) => {
      const reply = replyOf(input);
      return READERS[(input[0] ?? 0) % READERS.length]?.(reply);
    },
  },
  {
    name: "redis-events",
    refusals: ["KS_INTERNAL"],
    recordings: () => [
      eventBytes("finished", ID, "succeeded", Buffer.from("outcome")),
      eventBytes("output", ID, "", "1 0 stdout 1700000000000\nprinted", "wake", "default", "20", ""),
      eventBytes("cancel", ID, "1", "", "streaming", ID, "2", ""),
      ...utf8("1 0 stderr 5\nbytes", "node2\n0 default\n20 gpu|node1"),
    ],
    made: texts("finished", "output", "wake", "cancel", ID, "\0\0\0\x04", "1 0 stdout 5\n", "\n", " "),
    read: (input) => EVENT_READERS[input.length % EVENT_READERS.length]?.(input),
  },
  {
    name: "redis-address",
    refusals: ["KS_USAGE"],
    recordings: () =>
      utf8(
        "tcp://localhost:6379?db=9",
        "redis://user:hunter2@host:6380/3?password=hunter2",
        "rediss://:hunter2@host?ca=/a&cert=/b&key=/c&servername=d",
        "unix:/run/redis.sock?db=1&password=hunter2",
        "redis+sentinel://:hunter2@a:1,b:2,[::1]:3/mymaster?db=9&sentinel-password=hunter2",
        "rediss+cluster://user:hunter2@a:1,b:2",
      ),
    made: texts(
      "redis",
      "tcp:",
      "rediss+cluster",
      "://",
      "@",
      ":",
      "/",
      "?",
      "&",
      "=",
      "db",
      "password",
      "hunter2",
      ",",
      "%",
      "#",
      "[::1]",
    ),
    read: (input) => {
      const { shown, password, sentinelPassword } = parseRedisAddress(input.toString());
      // Where user, host and password are the same word, nobody can tell them apart.
      const isSecret =
        [password, sentinelPassword].includes("hunter2") && input.toString().split("hunter2").length === 2;
      if (isSecret && shown.includes("hunter2")) throw new Error(`a password is shown: ${shown}`);
    },
  },
  journalTarget(),
];

/** The only one that reads a file: a journal that was cut short or damaged must open, and say how many lines are lost. */
function journalTarget(): Target {
  let directory = "";
  return {
    name: "journal",
    refusals: [],
    // Each input is a file.
    inputs: 10_000,
    recordings: ({ journal }) => [journal],
    made: texts('{"url":"a"', ',"gone":true', "}", "\n", '"size":1', "null", "[", "\0"),
    open: async () => {
      directory = mkdtempSync(join(tmpdir(), "kitchensink-fuzz-"));
      return async () => rmSync(directory, { recursive: true, force: true });
    },
    read: async (input) => {
      const path = join(directory, "replicas.jsonl");
      writeFileSync(path, input);
      const { journal, entries } = await Journal.open(path);
      await journal.close();
      for (const [url, { replica }] of entries)
        if (url !== replica.url || replica.size < 0) throw new Error(url);
      rmSync(path);
    },
  };
}
