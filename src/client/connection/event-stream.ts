import type { IncomingMessage } from "node:http";
import { FrameReader } from "../../codec/frames.ts";
import { parseClientEvent } from "../../codec/wire.ts";
import type { ClientEvent } from "../../core/messages.ts";
import { errorOf } from "../errors.ts";
import { MAX_RESPONSE_BYTES, problemAsError, type Http } from "./http.ts";

export interface EventStreamOptions {
  readonly http: Http;
  readonly client: string;
  /** A node that says nothing for so long is taken for lost. */
  readonly silenceMs: number;
  /** Ends the opening, and the stream. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: ClientEvent) => void;
  /** The stream broke, or the node fell silent. Not called after `close`. */
  readonly onLost: (error: Error) => void;
}

/** One open stream of events from a node, on a connection of its own. */
export class EventStream {
  readonly #response: IncomingMessage;
  readonly #options: EventStreamOptions;
  #silence: NodeJS.Timeout | undefined;
  #isSilent = false;
  #isOver = false;

  private constructor(response: IncomingMessage, options: EventStreamOptions) {
    this.#response = response;
    this.#options = options;
    // From here on a clock of its own does that, which can say what happened.
    response.socket.setTimeout(0);
    const reader = new FrameReader(MAX_RESPONSE_BYTES);
    response.on("data", (chunk: Buffer) => {
      this.#expectMore();
      try {
        reader.push(chunk, (body) => options.onEvent(parseClientEvent(body)));
      } catch (error) {
        this.#lose(errorOf(error));
      }
    });
    response.on("error", (error) => this.#lose(error));
    response.on("close", () => this.#lose(new Error("the node closed the connection")));
    this.#expectMore();
  }

  /** Resolves when the node has registered the client. @throws KitchenError `KS_UNAVAILABLE`, `KS_UNAUTHORIZED` … */
  static async open(options: EventStreamOptions): Promise<EventStream> {
    const { http, client, silenceMs, signal } = options;
    const path = `/v1/events?client=${client}`;
    const response = await http.open({ method: "GET", path, silenceMs, signal }, { alone: true });
    if (response.statusCode === 200) return new EventStream(response, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    const type = response.headers["content-type"]?.split(";")[0] ?? "";
    throw problemAsError({ status: response.statusCode ?? 0, type, body: Buffer.concat(chunks) }, http.url);
  }

  /** It broke, or was closed: nothing more comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the stream keeps the process alive: only while something is waited for. */
  keepAlive(isWanted: boolean): void {
    if (isWanted) this.#response.socket.ref();
    else this.#response.socket.unref();
  }

  /** Reads no more, or goes on. The node notices, and holds back what comes next; a pause is no silence of its. */
  pause(isWanted: boolean): void {
    if (this.#isOver) return;
    if (!isWanted) {
      this.#response.resume();
      return this.#expectMore();
    }
    this.#response.pause();
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#isSilent = false;
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#silence);
    this.#response.destroy();
  }

  #expectMore(): void {
    this.#isSilent = false;
    if (this.#silence !== undefined) {
      this.#silence.refresh();
      return;
    }
    const { silenceMs } = this.#options;
    this.#silence = setTimeout(() => {
      this.#isSilent = true;
      // What came while this process was busy with something else is read first.
      setImmediate(() => {
        if (this.#isSilent) this.#lose(new Error(`the node said nothing for ${silenceMs / 1_000} s`));
      });
    }, silenceMs);
    this.#silence.unref();
  }

  #lose(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onLost(error);
  }
}
