import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { CodeUnit } from "../capture/capture.ts";
import { FrameReader } from "../codec/frames.ts";
import { encodeSubmission, MEDIA_TYPE, parseClientEvent } from "../codec/wire.ts";
import { KitchenError } from "../core/errors.ts";
import type { JobId } from "../core/ids.ts";
import type { ClientEvent, SubmittedJob } from "../core/messages.ts";
import { problemAsError, type Http } from "./http.ts";
import { ItemReader } from "./item-reader.ts";
import { missingOf, unitsOf } from "./outbox.ts";
import type { JobOutput } from "./output.ts";
import { TrackedJob } from "./tracked-job.ts";

const MAX_FRAME_BYTES = 1024 * 1024 * 1024;

/** Sends instant calls: a request each, whose answer brings the output as it appears, and then the end. */
export class InstantCaller {
  readonly #http: Http;
  readonly #client: string = randomUUID();
  readonly #sent = new Set<string>();

  constructor(http: Http) {
    this.#http = http;
  }

  /** Reads the items of a call's streamed result. */
  reader(id: JobId, attempt: number): ItemReader {
    return new ItemReader({ http: this.#http, client: this.#client, id, attempt });
  }

  /** Starts the call. Aborting cancels it: the node sees that the caller went away. */
  start(job: SubmittedJob, units: readonly CodeUnit[], output: JobOutput, signal: AbortSignal): TrackedJob {
    const tracked = new TrackedJob(job.id, output, { isSubmitted: true });
    this.#run(job, units, tracked, signal).catch((error: unknown) => {
      const cancelled = signal.aborted
        ? new KitchenError("KS_CANCELLED", cancelledMessage(signal.reason))
        : undefined;
      tracked.fail(cancelled ?? (error instanceof Error ? error : new Error(String(error))));
    });
    return tracked;
  }

  async #run(
    job: SubmittedJob,
    units: readonly CodeUnit[],
    tracked: TrackedJob,
    signal: AbortSignal,
  ): Promise<void> {
    const fresh = units.filter(({ hash }) => !this.#sent.has(hash));
    let response = await this.#post(job, fresh, signal);
    if (response.statusCode === 409 && typeOf(response) === MEDIA_TYPE) {
      const missing = new Set<string>(missingOf({ body: await bodyOf(response) }));
      response = await this.#post(
        job,
        units.filter(({ hash }) => missing.has(hash)),
        signal,
      );
    }
    if (response.statusCode !== 200)
      throw problemAsError(
        { status: response.statusCode ?? 0, type: typeOf(response), body: await bodyOf(response) },
        this.#http.url,
      );
    for (const { hash } of units) this.#sent.add(hash);
    // Who does not wait for the end does not keep the process alive for it.
    const { socket } = response;
    tracked.hold = (isWanted) => {
      if (!response.complete) void (isWanted ? socket.ref() : socket.unref());
    };
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
    const body = encodeSubmission({ client: this.#client, units: unitsOf([{ units }]), jobs: [job] });
    return this.#http.open({ method: "POST", path: "/v1/instant", type: MEDIA_TYPE, body, signal });
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
