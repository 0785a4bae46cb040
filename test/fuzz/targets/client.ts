/** What a client reads that a node, or who pretends to be one, answers. */
import {
  parseDataInfo,
  parseDeleteReport,
  parsePipelineReport,
} from "../../../src/client/remote-data/data-info.ts";
import { reviveThrown } from "../../../src/client/errors.ts";
import { checked, problemAsError } from "../../../src/client/connection/http.ts";
import { parseFunctions, parseNodes, parseStatus } from "../../../src/client/listings.ts";
import { decodeValue } from "../../../src/client/values.ts";
import { parseOutcome } from "../../../src/codec/wire.ts";
import { KitchenError } from "../../../src/core/errors.ts";
import { checkHead, HeadReader } from "../../../src/transfer/response-head.ts";
import { json, jsonWith, texts } from "../support/made.ts";
import type { Target } from "../support/target.ts";
import { outcomesIn } from "./messages.ts";

const NODE = new URL("http://localhost:6323/");
const SHA256 = "0".repeat(64);
const READERS = [
  parseDataInfo,
  parseDeleteReport,
  parsePipelineReport,
  parseFunctions,
  parseNodes,
  parseStatus,
];
const FIELDS = [
  "url",
  "size",
  "sha256",
  "codec",
  "type",
  "createdAt",
  "replicas",
  "node",
  "isAlive",
  "nodes",
  "name",
  "workers",
];
const MORE = [
  "queues",
  "namespaces",
  "functions",
  "parameters",
  "doc",
  "id",
  "state",
  "queue",
  "label",
  "copies",
  "failed",
  "deleted",
];

export const clientTargets: readonly Target[] = [
  {
    name: "json-answer",
    refusals: ["KS_UNAVAILABLE", "KS_BAD_REQUEST"],
    recordings: ({ responses }) =>
      responses.filter(({ head }) => /application\/json/.test(head)).map(({ body }) => body),
    made: jsonWith(...FIELDS, ...MORE),
    read: (input) => READERS[input.length % READERS.length]?.(parsed(input)),
  },
  {
    name: "problem",
    refusals: [],
    recordings: ({ responses }) => [
      ...responses.filter(({ head }) => /problem\+json/.test(head)).map(({ body }) => body),
      Buffer.from(
        '{"type":"about:blank","title":"Bad request","status":400,"detail":"why","code":"KS_BAD_REQUEST"}',
      ),
    ],
    made: json,
    read: (input) => {
      const response = { status: 400, type: "application/problem+json", body: input };
      try {
        checked(response, NODE);
      } catch (error) {
        // There is always an error, of whatever code the node says.
        if (error instanceof KitchenError) return;
        throw error;
      }
      throw new Error(`no error but ${String(problemAsError(response, NODE))}`);
    },
  },
  {
    name: "response-head",
    refusals: ["Error"],
    recordings: ({ responses }) => [
      ...responses.map(({ head }) => Buffer.from(head, "latin1")),
      Buffer.from(
        `HTTP/1.1 206 Partial\r\netag: "${SHA256}"\r\ncontent-length: 5\r\ncontent-range: bytes 5-9/10\r\n\r\n`,
      ),
    ],
    made: texts(
      "HTTP/1.1 200 OK\r\n",
      "\r\n",
      ": ",
      "etag",
      "content-length",
      "content-range",
      " ",
      "\t",
      "\u0001",
      "bytes 5-9/10",
    ),
    read: (input) => {
      const reader = new HeadReader();
      for (let at = 0; at < input.length; at += 7) {
        const read = reader.push(input.subarray(at, at + 7));
        if (read !== undefined) return checkHead(read.head, { offset: 5, size: 10, sha256: SHA256 });
      }
      return undefined;
    },
  },
  {
    name: "result",
    refusals: ["KS_BAD_REQUEST", "KS_TOO_LARGE", "KS_CANNOT_DECODE", "KS_CANNOT_CAPTURE", "KS_UNKNOWN_CODEC"],
    recordings: outcomesIn,
    read: (input) => {
      const outcome = parseOutcome(input);
      if (outcome.type === "error")
        return reviveThrown(outcome.error, { where: "there", awaiting: "    at here" });
      return outcome.type === "stored" ? outcome : decodeValue(outcome, { realm: undefined });
    },
  },
];

function parsed(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString());
  } catch (cause) {
    throw new KitchenError("KS_UNAVAILABLE", "not JSON", { cause });
  }
}
