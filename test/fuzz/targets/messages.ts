/** Messages of clients and nodes, which a node or a client parses field by field. */
import {
  encodeItemsAnswer,
  encodeItemsRequest,
  parseItemsAnswer,
  parseItemsRequest,
  parseOutcome,
  parseSpec,
  parseSubmission,
} from "../../../src/codec/wire.ts";
import { parseFromWorker } from "../../../src/codec/worker-wire.ts";
import { packed, packedLists } from "../support/made.ts";
import type { Recordings } from "../support/recordings.ts";
import type { Target } from "../support/target.ts";

const refusals = ["KS_BAD_REQUEST", "KS_TOO_LARGE"] as const;

/** The outcomes that a worker came to. */
export function outcomesIn({ fromWorker }: Recordings): Buffer[] {
  const messages = fromWorker.map((bytes) => parseFromWorker(bytes.subarray(4)));
  return messages.flatMap((message) =>
    message.type === "finished" ? [Buffer.from(message.result.outcome)] : [],
  );
}

export const messageTargets: readonly Target[] = [
  {
    name: "submission",
    refusals,
    recordings: ({ submissions }) => submissions,
    made: packedLists,
    read: (input) => parseSubmission(input).jobs.map(({ spec }) => parseSpec(spec)),
  },
  { name: "spec", refusals, recordings: ({ specs }) => specs, made: packed, read: parseSpec },
  { name: "outcome", refusals, recordings: outcomesIn, made: packedLists, read: parseOutcome },
  {
    name: "items-request",
    refusals,
    recordings: () => [
      encodeItemsRequest({ client: "12345678", attempt: 1, from: 3, waitMs: 15_000, isOver: false }),
      encodeItemsRequest({ client: "", attempt: 0, from: 0, waitMs: 0, isOver: true }),
    ],
    made: packedLists,
    read: parseItemsRequest,
  },
  {
    name: "items-answer",
    refusals,
    recordings: () => [
      encodeItemsAnswer({ codec: "json", items: [Buffer.from("1"), new Uint8Array()], isComplete: false }),
      encodeItemsAnswer({ codec: "closure", items: [], isComplete: true }),
    ],
    made: packedLists,
    read: parseItemsAnswer,
  },
];
