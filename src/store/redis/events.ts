import { KitchenError } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { OutputPiece, StoreEvent } from "../port.ts";
import { parseProgressWord } from "./progress-word.ts";
import { parseFinalState } from "./replies.ts";

const NEWLINE = 10;
const PIECE_HEAD = /^(\d+) (\d+) (stdout|stderr) (\d+)$/;

/** Reads one message of a node's channel: frames of four strings each, as `lua/shared/events.lua` writes them. */
export function* parseEvents(message: Buffer): Iterable<StoreEvent> {
  let at = 0;
  const next = (): Buffer => {
    const from = at + 4;
    if (from > message.length) throw malformed("an event");
    at = from + message.readUInt32BE(at);
    if (at > message.length) throw malformed("an event");
    return message.subarray(from, at);
  };
  while (at < message.length)
    yield toEvent(next().toString("latin1"), next().toString("latin1") as JobId, next(), next());
}

function toEvent(kind: string, id: JobId, detail: Buffer, bytes: Buffer): StoreEvent {
  switch (kind) {
    case "finished":
      return { type: "finished", id, state: parseFinalState(detail.toString("latin1")), outcome: bytes };
    case "output":
      return { type: "output", id, piece: parsePiece(bytes) };
    // Of a wake-up the queue stands where others have the job's id.
    case "wake":
      return { type: "wake", queue: id, delayMs: Number(detail.toString("latin1")) };
    case "progress":
      return {
        type: kind,
        id,
        attempt: Number(detail.toString("latin1")),
        progress: parseProgressWord(bytes.toString("latin1")),
      };
    case "cancel":
    case "streaming":
      return { type: kind, id, attempt: Number(detail.toString("latin1")) };
    default:
      throw malformed("an event");
  }
}

/** Reads a message of the channel that all nodes hear: nothing, when the node itself brought it about. */
export function parseWakes(message: string, node: NodeName): StoreEvent[] {
  const [from, ...lines] = message.split("\n");
  if (from === node) return [];
  return lines.map((line) => {
    const space = line.indexOf(" ");
    return { type: "wake", queue: line.slice(space + 1), delayMs: Number(line.slice(0, space)) };
  });
}

/** Reads a piece of output: its head in a line, then its bytes. */
export function parsePiece(bytes: Buffer): OutputPiece {
  const end = bytes.indexOf(NEWLINE);
  const head = PIECE_HEAD.exec(bytes.toString("latin1", 0, Math.max(end, 0)));
  if (head === null) throw malformed("a piece of output");
  return {
    attempt: Number(head[1]),
    index: Number(head[2]),
    stream: head[3] === "stderr" ? "stderr" : "stdout",
    atMs: Number(head[4]),
    bytes: bytes.subarray(end + 1),
  };
}

function malformed(what: string): KitchenError {
  return new KitchenError("KS_INTERNAL", `The store sent ${what} that cannot be read`);
}
