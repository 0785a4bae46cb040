import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import { KitchenError, isErrorCode, messageOf } from "../../core/errors.ts";
import { checked, isUnavailable, type Http, type HttpRequest } from "./http.ts";
import { Reader } from "../reader.ts";

/** A node that lives says so more often than this. */
const SILENCE_MS = 60_000;

/**
 * The lines of an answer that tells how something goes on, until the one under the key `last`, which is the last one.
 * @throws KitchenError what a line says under `error`, and `KS_UNAVAILABLE` when the answer ends before its last line
 */
export async function* openLines(
  http: Http,
  request: HttpRequest,
  last: string,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const response = await http.open({ ...request, isLong: true, silenceMs: SILENCE_MS });
  if (response.statusCode !== 200) checked(await http.whole(response, request.signal), http.url);
  for await (const text of linesOf(reading(http, response, request.signal))) {
    const line = parseLine(text);
    if ("error" in line) throw errorIn(line["error"]);
    yield line;
    if (last in line) return;
  }
  throw endless(http);
}

/** Once an answer has begun, work has: that the node cannot be reached any more is not all there is to say. */
async function* reading(
  http: Http,
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  try {
    yield* http.reading(response, signal);
  } catch (error) {
    const isOwn = signal?.aborted === true || !isUnavailable(error);
    throw isOwn ? error : endless(http, error);
  }
}

function endless({ url }: Http, cause?: KitchenError): KitchenError {
  const why = cause === undefined ? "it went away" : `the connection broke off (${messageOf(cause.cause)})`;
  return new KitchenError(
    "KS_UNAVAILABLE",
    `The node at ${url.href} did not say how it ended: ${why} (ask again, there or at another node: what is done stays done)`,
    { cause },
  );
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
  if (rest !== "") yield rest;
}

function parseLine(text: string): Readonly<Record<string, unknown>> {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch (cause) {
    throw new KitchenError("KS_UNAVAILABLE", "Cannot read the node's answer: a line of it is not JSON", {
      cause,
    });
  }
  return typeof line === "object" && line !== null ? { ...line } : {};
}

function errorIn(value: unknown): KitchenError {
  const error = new Reader(value, "error");
  const code = error.text("code");
  return new KitchenError(isErrorCode(code) ? code : "KS_UNAVAILABLE", error.text("detail"));
}
