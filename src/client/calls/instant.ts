import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { CodeUnit } from "../../capture/capture.ts";
import { FrameReader } from "../../codec/frames.ts";
import { encodeSubmission, MEDIA_TYPE, parseClientEvent } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import type { ClientEvent, SubmittedJob } from "../../core/messages.ts";
import { errorOf } from "../errors.ts";
import {
  headOf,
  type Http,
  isUnavailable,
  MAX_RESPONSE_BYTES,
  problemAsError,
  SILENCE,
} from "../connection/http.ts";
import { type Interruptible, interrupts } from "../connection/interrupts.ts";
import { ItemReader } from "../jobs/item-reader.ts";
import { answerOf } from "./outbox.ts";
import type { JobOutput } from "../output/output.ts";
import { PATIENCE, type Patience } from "../connection/patience.ts";
import { type Line, TrackedJob } from "../jobs/tracked-job.ts";

/** Sends instant calls: a request each, whose answer brings the output as it appears, and then the end. */
export class InstantCaller implements Interruptible {
  readonly #http: Http;
  readonly #isInterruptible: boolean;
  readonly #client: string = randomUUID();
  readonly #silenceMs: number;
  readonly #sent = new Set<string>();
  readonly #running = new Set<TrackedJob>();

  /** `isInterruptible`: Ctrl-C cancels what it waits for. */
  constructor(http: Http, isInterruptible: boolean, { silenceMs }: Pick<Patience, "silenceMs"> = PATIENCE) {
    // Each holds its connection until it has ended, and nothing else is to wait for that.
    this.#http = http.sibling();
    this.#isInterruptible = isInterruptible;
    this.#silenceMs = silenceMs;
  }

  get waiting(): number {
    return this.#running.size;
  }

  get own(): readonly TrackedJob[] {
    return [...this.#running];
  }

  submit(job: SubmittedJob, units: readonly CodeUnit[], output: JobOutput): TrackedJob {
    const line = new InstantLine(this.#http, this.#client);
    const tracked = new TrackedJob(job.id, output, line);
    tracked.markSubmitted();
    this.#begin(tracked);
    this.#run(job, units, tracked, line)
      .catch((error: unknown) => tracked.fail(line.cancelled ?? this.#failure(error, line)))
      .finally(() => this.#end(tracked));
    return tracked;
  }

  /** Ends all that are under way. */
  close(): void {
    this.#http.close();
  }

  #begin(job: TrackedJob): void {
    this.#running.add(job);
    if (this.#isInterruptible) interrupts.begin(this);
  }

  #end(job: TrackedJob): void {
    this.#running.delete(job);
    if (this.#running.size === 0) interrupts.end(this);
  }

  async #run(
    job: SubmittedJob,
    units: readonly CodeUnit[],
    tracked: TrackedJob,
    line: InstantLine,
  ): Promise<void> {
    const fresh = units.filter(({ hash }) => !this.#sent.has(hash));
    let response = await this.#post(job, fresh, line);
    const { status, type } = headOf(response);
    if (status === 409 && type === MEDIA_TYPE) {
      const missing = new Set<string>(answerOf(await this.#http.whole(response)).missing);
      const wanted = units.filter(({ hash }) => missing.has(hash));
      response = await this.#post(job, wanted, line);
    }
    if (response.statusCode !== 200) throw problemAsError(await this.#http.whole(response), this.#http.url);
    for (const { hash } of units) this.#sent.add(hash);
    line.response = response;
    let isFinished = false;
    await this.#readEvents(response, (event) => {
      if (event.type === "output") tracked.takeOutput(event);
      if (event.type === "progress") tracked.takeProgress(event.attempt, event.progress);
      if (event.type === "streaming") tracked.stream(event.attempt);
      if (event.type !== "finished") return;
      isFinished = true;
      tracked.finish(event.state, event.outcome);
    });
    if (!isFinished) throw new KitchenError("KS_UNAVAILABLE", "the node ended its answer too early");
  }

  async #readEvents(response: IncomingMessage, onEvent: (event: ClientEvent) => void): Promise<void> {
    const reader = new FrameReader(MAX_RESPONSE_BYTES);
    const take = (body: Uint8Array): void => onEvent(parseClientEvent(body));
    await this.#http.receive(response, (chunk) => reader.push(chunk, take));
  }

  /** Why a call came to nothing. Its node alone knows of it: who loses that hears no more of the call. */
  #failure(error: unknown, { response }: InstantLine): Error {
    const reason = errorOf(error);
    const isCut = response !== undefined || isBroken(reason.cause);
    if (!isCut || !isUnavailable(reason)) return reason;
    return new KitchenError(
      "KS_CONNECTION_LOST",
      `Lost the instant call, which may have run or not: ${reason.message} (call it again, or leave out async: false: what is queued outlives its connection)`,
      { cause: reason },
    );
  }

  #post(job: SubmittedJob, units: readonly CodeUnit[], line: InstantLine): Promise<IncomingMessage> {
    const body = encodeSubmission({
      client: this.#client,
      units: new Map(units.map(({ hash, bytes }) => [hash, bytes])),
      jobs: [job],
    });
    const silenceMs = this.#silenceMs;
    const request = { method: "POST", path: "/v1/instant", type: MEDIA_TYPE, body, silenceMs } as const;
    return this.#http.open(request, { onSent: (end) => line.onSent(end) });
  }
}

/** The request of one call is its line to the node: when it is ended, the node sees that the caller went away. */
class InstantLine implements Line {
  response: IncomingMessage | undefined;
  /** The error of a call that was cancelled. */
  cancelled: KitchenError | undefined;
  readonly #http: Http;
  readonly #client: string;
  #end: (reason: Error) => void = () => {};

  constructor(http: Http, client: string) {
    this.#http = http;
    this.#client = client;
  }

  /** The call is on its way; `end` ends its request. */
  onSent(end: (reason: Error) => void): void {
    this.#end = end;
    if (this.cancelled !== undefined) end(this.cancelled);
  }

  /** Who does not wait for the end does not keep the process alive for it. */
  hold(_job: TrackedJob, isWanted: boolean): void {
    if (this.response === undefined || this.response.complete) return;
    const { socket } = this.response;
    if (isWanted) socket.ref();
    else socket.unref();
  }

  async cancel(_job: TrackedJob, reason: string): Promise<void> {
    this.cancelled ??= new KitchenError("KS_CANCELLED", cancelledMessage(reason));
    this.#end(this.cancelled);
  }

  async release(): Promise<never> {
    throw new KitchenError(
      "KS_USAGE",
      "Cannot detach an instant call: it lives as long as somebody waits for it (leave out async: false)",
    );
  }

  reader({ id }: TrackedJob, attempt: number): ItemReader {
    const { silenceMs } = PATIENCE;
    return new ItemReader({ http: this.#http, client: this.#client, id, attempt, silenceMs });
  }
}

function cancelledMessage(reason: string): string {
  return reason === "" ? "The call was cancelled" : `The call was cancelled: ${reason}`;
}

const BROKEN: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", SILENCE]);

/** Whether a connection that was there is not any more. */
function isBroken(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && BROKEN.has(cause.code);
}
