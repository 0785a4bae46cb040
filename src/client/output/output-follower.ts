import { StringDecoder } from "node:string_decoder";
import type { JobId } from "../../core/ids.ts";
import { Connection } from "../connection/connection.ts";
import type { Http } from "../connection/http.ts";
import type { Output } from "./output.ts";

/** When so much waits to be taken, no more is read. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** What a piece takes besides its text. */
const PIECE_BYTES = 100;

/**
 * A job's output from its beginning on until it ends, on a stream of its own: others' printing is not disturbed, and the
 * stream stands still while whoever takes the pieces is slower than the job.
 */
export async function* followOutput(
  http: Http,
  id: JobId,
  submitted: Promise<unknown>,
): AsyncGenerator<Output> {
  await submitted;
  const connection = new Connection(http.sibling(), false);
  let waiting: Output[] = [];
  let waitingBytes = 0;
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  let hasEnded = false;
  let wake = (): void => {};
  const push = (stream: "stdout" | "stderr", text: string, atMs: number): void => {
    if (text === "") return;
    waiting.push({ stream, text, at: new Date(atMs) });
    waitingBytes += text.length + PIECE_BYTES;
    if (waitingBytes > MOST_WAITING_BYTES) connection.pause(true);
    wake();
  };
  const tracked = connection.watch(id, {
    write: (stream, bytes, atMs) => push(stream, decoders[stream].write(Buffer.from(bytes)), atMs),
    progress: () => {},
    end: () => {
      for (const stream of ["stdout", "stderr"] as const) push(stream, decoders[stream].end(), Date.now());
      hasEnded = true;
      wake();
    },
  });
  const ended = tracked.untilEnded();
  try {
    for (;;) {
      const pieces = waiting;
      waiting = [];
      waitingBytes = 0;
      connection.pause(false);
      yield* pieces;
      if (waiting.length > 0) continue;
      if (hasEnded) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const end = await ended;
    if (end.type === "failed") throw end.error;
  } finally {
    await connection.close();
  }
}
