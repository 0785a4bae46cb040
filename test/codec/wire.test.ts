import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSha256 } from "../../src/core/data.ts";
import { parseDataUrl } from "../../src/core/data-url.ts";
import { KitchenError } from "../../src/core/errors.ts";
import type { JobId, NodeName, UnitHash } from "../../src/core/ids.ts";
import type {
  ClientEvent,
  FromWorker,
  JobSpec,
  Outcome,
  Submission,
  ToWorker,
} from "../../src/core/messages.ts";
import {
  encodeClientEvent,
  encodeOutcome,
  encodeSpec,
  encodeSubmission,
  parseClientEvent,
  parseOutcome,
  parseSpec,
  parseSubmission,
} from "../../src/codec/wire.ts";
import {
  encodeFromWorker,
  encodeToWorker,
  parseFromWorker,
  parseToWorker,
} from "../../src/codec/worker-wire.ts";

const jobId = "01890000-0000-7000-8000-000000000000" as JobId;
const hash = "a".repeat(43) as UnitHash;
const bytes = Buffer.from([0, 1, 255]);
const spec: JobSpec = {
  namespace: "test",
  name: null,
  label: "f",
  units: [hash],
  codec: "closure",
  fn: bytes,
  args: bytes,
  timeoutMs: 5,
  retries: 1,
  streamsOutput: true,
  retryDelayMs: 6,
  ttlMs: 7,
  isIdempotent: true,
  after: [jobId],
  trace: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1" },
};

test("a job's spec, a submission and outcomes come back as they were", () => {
  expect(parseSpec(encodeSpec(spec))).toEqual(spec);
  const submission: Submission = {
    client: "c",
    units: new Map([[hash, bytes]]),
    jobs: [{ id: jobId, queue: "gpu|n1", priority: -3, spec: bytes, inputs: [parseDataUrl("my/data")] }],
  };
  expect(parseSubmission(encodeSubmission(submission))).toEqual(submission);
  const outcomes: Outcome[] = [
    { type: "value", codec: "json", bytes },
    {
      type: "stored",
      codec: "json",
      url: parseDataUrl("kitchensink/results/x/1"),
      size: 5_000_000_000,
      sha256: parseSha256("ab".repeat(32)),
      isEnded: true,
    },
    {
      type: "error",
      error: {
        name: "TypeError",
        message: "m",
        stack: "s",
        code: null,
        detail: bytes,
        source: "throw new Error()",
      },
    },
    {
      type: "error",
      error: {
        name: "KitchenError",
        message: "m",
        stack: "",
        code: "KS_TIMEOUT",
        detail: null,
        source: null,
      },
    },
  ];
  for (const outcome of outcomes) expect(parseOutcome(encodeOutcome(outcome))).toEqual(outcome);
});

test("every event for a client comes back as it was", () => {
  const events: ClientEvent[] = [
    { type: "output", jobId, attempt: 2, index: 7, stream: "stderr", atMs: 1.5, bytes },
    { type: "output", jobId, attempt: 2, index: 8, stream: "stderr", atMs: 2, bytes, isCut: true },
    { type: "finished", jobId, state: "cancelled", outcome: bytes },
    { type: "unknown", jobId },
    { type: "alive" },
  ];
  for (const event of events) expect(parseClientEvent(encodeClientEvent(event))).toEqual(event);
});

test("every message on a worker's channel comes back as it was", () => {
  const toWorker: ToWorker[] = [
    {
      type: "start",
      settings: {
        secret: "s",
        node: { name: "n" as NodeName, url: "http://n/" },
        modules: ["m"],
        isArbitraryBanned: true,
        inlineResultBytes: 1_000,
        keepsResults: true,
        access: { url: "http://127.0.0.1:6323/", token: "secret", takesData: true },
      },
    },
    { type: "unit", hash, bytes },
    { type: "forget", hash },
    { type: "run", run: 1, jobId, attempt: 2, spec: bytes, outcomes: [bytes] },
    { type: "cancel", run: 1, reason: "why" },
    { type: "recall", run: 1 },
    { type: "describe", request: 3, namespace: "test" },
  ];
  for (const message of toWorker) expect(parseToWorker(encodeToWorker(message))).toEqual(message);
  const fromWorker: FromWorker[] = [
    { type: "ready", namespaces: [{ name: "test", isArbitraryAllowed: false, functions: ["add"] }] },
    { type: "module-failed", message: "why" },
    { type: "finished", run: 1, result: { outcome: bytes, isError: false, ranMs: 0.5 } },
    { type: "skipped", run: 1 },
    { type: "waiting", run: 1 },
    { type: "stray", text: "late" },
    {
      type: "described",
      request: 3,
      functions: [
        {
          namespace: "test",
          name: "add",
          parameters: "a",
          input: { type: "object" },
          inputForm: "by-name",
          isGenerator: false,
          doc: "",
        },
      ],
    },
    { type: "described", request: 4, functions: null },
    { type: "declared", request: 5, declarations: "export {};" },
    { type: "declared", request: 6, declarations: null },
  ];
  for (const message of fromWorker) expect(parseFromWorker(encodeFromWorker(message))).toEqual(message);
});

test("a job needs a name or a function, and only one of them", () => {
  expect(() => parseSpec(encodeSpec({ ...spec, fn: null }))).toThrow(/either/);
  expect(() => parseSpec(encodeSpec({ ...spec, name: "add" }))).toThrow(/either/);
});

test.each([
  ["parseSpec", parseSpec, encodeSpec(spec)],
  [
    "parseSubmission",
    parseSubmission,
    encodeSubmission({
      client: "c",
      units: new Map([[hash, bytes]]),
      jobs: [{ id: jobId, queue: "q", priority: 0, spec: bytes, inputs: [parseDataUrl("my/data")] }],
    }),
  ],
  ["parseOutcome", parseOutcome, encodeOutcome({ type: "value", codec: "json", bytes })],
  [
    "parseClientEvent",
    parseClientEvent,
    encodeClientEvent({ type: "finished", jobId, state: "failed", outcome: bytes }),
  ],
  [
    "parseToWorker",
    parseToWorker,
    encodeToWorker({ type: "run", run: 1, jobId, attempt: 1, spec: bytes, outcomes: [] }),
  ],
  [
    "parseFromWorker",
    parseFromWorker,
    encodeFromWorker({ type: "finished", run: 1, result: { outcome: bytes, isError: true, ranMs: 0.5 } }),
  ],
])("%s answers damaged bytes with a clear error, and nothing else", (_name, parse, good) => {
  const damage = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(damage, fc.nat({ max: good.length }), (changes, length) => {
      const bad = Buffer.from(good);
      for (const [at, value] of changes) bad[at] = value;
      try {
        parse(bad.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(KitchenError);
      }
    }),
    { numRuns: 500 },
  );
});
