import type { IncomingMessage } from "node:http";
import { FrameReader } from "../codec/frames.ts";
import { parseClientEvent } from "../codec/wire.ts";
import type { ClientEvent } from "../core/messages.ts";
import { problemAsError, type Http } from "./http.ts";

const MAX_FRAME_BYTES = 1024 * 1024 * 1024;
/** A node that lives says so more often than this. */
const SILENCE_MS = 45_000;

export interface EventStreamHandlers {
  readonly onEvent: (event: ClientEvent) => void;
  /** The stream broke, or the node fell silent. Not called after `close`. */
  readonly onLost: (error: Error) => void;
}

/** One open stream of events from a node, on a connection of its own. */
export class EventStream {
  readonly #response: IncomingMessage;
  readonly #handlers: EventStreamHandlers;
  #silence: NodeJS.Timeout | undefined;
  #isOver = false;

  private constructor(response: IncomingMessage, handlers: EventStreamHandlers) {
    this.#response = response;
    this.#handlers = handlers;
    const reader = new FrameReader(MAX_FRAME_BYTES);
    response.on("data", (chunk: Buffer) => {
      this.#expectMore();
      try {
        reader.push(chunk, (body) => handlers.onEvent(parseClientEvent(body)));
      } catch (error) {
        this.#lose(error instanceof Error ? error : new Error(String(error)));
      }
    });
    response.on("error", (error) => this.#lose(error));
    response.on("close", () => this.#lose(new Error("the node closed the connection")));
    this.#expectMore();
  }

  /** Resolves when the node has registered the client. @throws KitchenError `KS_UNAVAILABLE`, `KS_UNAUTHORIZED` … */
  static async open(http: Http, client: string, handlers: EventStreamHandlers): Promise<EventStream> {
    const response = await http.open({ method: "GET", path: `/v1/events?client=${client}` }, { alone: true });
    if (response.statusCode === 200) return new EventStream(response, handlers);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    const type = response.headers["content-type"]?.split(";")[0] ?? "";
    throw problemAsError({ status: response.statusCode ?? 0, type, body: Buffer.concat(chunks) }, http.url);
  }

  /** Whether the stream keeps the process alive: only while something is waited for. */
  keepAlive(isWanted: boolean): void {
    if (isWanted) this.#response.socket.ref();
    else this.#response.socket.unref();
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#silence);
    this.#response.destroy();
  }

  #expectMore(): void {
    if (this.#silence !== undefined) {
      this.#silence.refresh();
      return;
    }
    this.#silence = setTimeout(
      () => this.#lose(new Error(`the node said nothing for ${SILENCE_MS / 1_000} s`)),
      SILENCE_MS,
    );
    this.#silence.unref();
  }

  #lose(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#handlers.onLost(error);
  }
}
