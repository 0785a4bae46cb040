import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { CodeUnit } from "../capture/capture.ts";
import { FrameReader } from "../codec/frames.ts";
import { encodeSubmission, MEDIA_TYPE, parseClientEvent } from "../codec/wire.ts";
import { KitchenError } from "../core/errors.ts";
import type { ClientEvent, SubmittedJob } from "../core/messages.ts";
import { problemAsError, type Http } from "./http.ts";
import { ItemReader } from "./item-reader.ts";
import { missingOf } from "./outbox.ts";
import type { JobOutput } from "./output.ts";
import { type Line, TrackedJob } from "./tracked-job.ts";

const MAX_FRAME_BYTES = 1024 * 1024 * 1024;

/** Sends instant calls: a request each, whose answer brings the output as it appears, and then the end. */
export class InstantCaller {
  readonly #http: Http;
  readonly #client: string = randomUUID();
  readonly #sent = new Set<string>();

  constructor(http: Http) {
    this.#http = http;
  }

  submit(job: SubmittedJob, units: readonly CodeUnit[], output: JobOutput): TrackedJob {
    const line = new InstantLine(this.#http, this.#client);
    const tracked = new TrackedJob(job.id, output, line);
    tracked.markSubmitted();
    this.#run(job, units, tracked, line).catch((error: unknown) => {
      tracked.fail(line.cancelled ?? (error instanceof Error ? error : new Error(String(error))));
    });
    return tracked;
  }

  async #run(
    job: SubmittedJob,
    units: readonly CodeUnit[],
    tracked: TrackedJob,
    line: InstantLine,
  ): Promise<void> {
    const fresh = units.filter(({ hash }) => !this.#sent.has(hash));
    let response = await this.#post(job, fresh, line.signal);
    if (response.statusCode === 409 && typeOf(response) === MEDIA_TYPE) {
      const missing = new Set<string>(missingOf({ body: await bodyOf(response) }));
      const wanted = units.filter(({ hash }) => missing.has(hash));
      response = await this.#post(job, wanted, line.signal);
    }
    if (response.statusCode !== 200)
      throw problemAsError(
        { status: response.statusCode ?? 0, type: typeOf(response), body: await bodyOf(response) },
        this.#http.url,
      );
    for (const { hash } of units) this.#sent.add(hash);
    line.response = response;
    await readEvents(response, (event) => {
      if (event.type === "output") tracked.takeOutput(event);
      if (event.type === "streaming") tracked.stream(event.attempt);
      if (event.type === "finished") tracked.finish(event.state, event.outcome);
    });
    tracked.fail(
      new KitchenError(
        "KS_CONNECTION_LOST",
        "The node's answer ended before the call did: the node went away",
      ),
    );
  }

  #post(job: SubmittedJob, units: readonly CodeUnit[], signal: AbortSignal): Promise<IncomingMessage> {
    const body = encodeSubmission({
      client: this.#client,
      units: new Map(units.map(({ hash, bytes }) => [hash, bytes])),
      jobs: [job],
    });
    return this.#http.open({ method: "POST", path: "/v1/instant", type: MEDIA_TYPE, body, signal });
  }
}

/** The request of one call is its line to the node: when it is aborted, the node sees that the caller went away. */
class InstantLine implements Line {
  response: IncomingMessage | undefined;
  readonly #http: Http;
  readonly #client: string;
  readonly #controller = new AbortController();

  constructor(http: Http, client: string) {
    this.#http = http;
    this.#client = client;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The error of a call that was cancelled. */
  get cancelled(): KitchenError | undefined {
    const { aborted, reason } = this.signal;
    return aborted ? new KitchenError("KS_CANCELLED", cancelledMessage(reason)) : undefined;
  }

  /** Who does not wait for the end does not keep the process alive for it. */
  hold(_job: TrackedJob, isWanted: boolean): void {
    if (this.response === undefined || this.response.complete) return;
    const { socket } = this.response;
    if (isWanted) socket.ref();
    else socket.unref();
  }

  async cancel(_job: TrackedJob, reason: string): Promise<void> {
    this.#controller.abort(reason);
  }

  reader({ id }: TrackedJob, attempt: number): ItemReader {
    return new ItemReader({ http: this.#http, client: this.#client, id, attempt });
  }
}

function cancelledMessage(reason: unknown): string {
  return typeof reason === "string" && reason !== ""
    ? `The call was cancelled: ${reason}`
    : "The call was cancelled";
}

async function readEvents(response: IncomingMessage, onEvent: (event: ClientEvent) => void): Promise<void> {
  const reader = new FrameReader(MAX_FRAME_BYTES);
  for await (const chunk of response) reader.push(chunk as Buffer, (body) => onEvent(parseClientEvent(body)));
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function typeOf(response: IncomingMessage): string {
  return response.headers["content-type"]?.split(";")[0] ?? "";
}
