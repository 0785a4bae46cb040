import { StringDecoder } from "node:string_decoder";
import { Connection } from "../../client/connection/connection.ts";
import { FrameReader } from "../../codec/frames.ts";
import { MEDIA_TYPE, parseClientEvent } from "../../codec/wire.ts";
import { checked, type Http } from "../../client/connection/http.ts";
import type { JobId } from "../../core/ids.ts";
import type { OutputEvent } from "../../core/messages.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, type Session, type SessionFlags } from "../session.ts";
import { findJob } from "./find-job.ts";

export interface LogsFlags extends SessionFlags {
  readonly follow: boolean;
}

type Print = (stream: "stdout" | "stderr", bytes: Uint8Array, atMs: number) => void;

const MAX_FRAME_BYTES = 1024 * 1024 * 1024;

/** `kitchensink logs`: each stream to the one of the same name. */
export async function showLogs(request: LogsFlags & { readonly id: string }): Promise<void> {
  const print = request.json ? asObjects() : asTheyAre;
  await inSession(request, async (session) => {
    const id = await findJob(request.id, session);
    if (request.follow) await follow(id, { print, session });
    else await printAll(id, { print, session });
    return EXIT.done;
  });
}

interface Printing {
  readonly print: Print;
  readonly session: Session;
}

async function printAll(id: JobId, { print, session }: Printing): Promise<void> {
  for (const { stream, bytes, atMs } of await readOutput(id, session)) print(stream, bytes, atMs);
}

/** What a job has written so far. */
export async function readOutput(
  id: JobId,
  { http, signal }: { readonly http: Http; readonly signal?: AbortSignal },
): Promise<readonly OutputEvent[]> {
  const path = `/v1/jobs/${id}/output`;
  const answer = checked(await http.fetch({ method: "GET", path, accept: MEDIA_TYPE, signal }), http.url);
  const pieces: OutputEvent[] = [];
  new FrameReader(MAX_FRAME_BYTES).push(answer.body, (body) => {
    const event = parseClientEvent(body);
    if (event.type === "output") pieces.push(event);
  });
  return pieces;
}

async function follow(id: JobId, { print, session }: Printing): Promise<void> {
  const connection = new Connection(session.http, false);
  session.signal.addEventListener("abort", () => void connection.close(), { once: true });
  try {
    const output = { write: print, progress: () => {}, end: () => {} };
    const end = await connection.watch(id, output).untilEnded();
    if (end.type === "failed") throw end.error;
  } finally {
    await connection.close();
  }
}

const asTheyAre: Print = (stream, bytes) => void process[stream].write(bytes);

function asObjects(): Print {
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  return (stream, bytes, atMs) => {
    const text = decoders[stream].write(Buffer.from(bytes));
    const line = JSON.stringify({ stream, text, at: new Date(atMs) });
    if (text !== "") process.stdout.write(`${line}\n`);
  };
}
