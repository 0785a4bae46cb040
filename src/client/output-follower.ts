import { StringDecoder } from "node:string_decoder";
import type { JobId } from "../core/ids.ts";
import { Connection } from "./connection.ts";
import type { Http } from "./http.ts";
import type { Output } from "./output.ts";

/** A job's output from its beginning on until it ends, on a stream of its own: others' printing is not disturbed. */
export async function* followOutput(
  http: Http,
  id: JobId,
  submitted: Promise<unknown>,
): AsyncGenerator<Output> {
  await submitted;
  const connection = new Connection(http.sibling(), false);
  const waiting: Output[] = [];
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  let hasEnded = false;
  let wake = (): void => {};
  const push = (stream: "stdout" | "stderr", text: string, atMs: number): void => {
    if (text !== "") waiting.push({ stream, text, at: new Date(atMs) });
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
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
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
