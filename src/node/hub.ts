import { frame } from "../codec/frames.ts";
import { encodeClientEvent } from "../codec/wire.ts";
import type { JobId } from "../core/ids.ts";
import type { FinalState } from "../core/job-states.ts";
import type { OutputPiece } from "../store/port.ts";

/** Where a client's events go: its open stream. */
export interface Subscriber {
  send(frames: Buffer): void;
}

/** Tells clients of their jobs: who waits for which job, in this node's memory. */
export class Hub {
  readonly #clients = new Map<string, Subscriber>();
  /** Who waits for a job, and whether they want its output too. */
  readonly #waiting = new Map<JobId, Map<string, boolean>>();
  readonly #outbox = new Map<string, Buffer[]>();

  /** The client's stream is open: its events go there, until `disconnect`. */
  connect(client: string, subscriber: Subscriber): void {
    this.#clients.set(client, subscriber);
  }

  disconnect(client: string, subscriber: Subscriber): void {
    // A client that reconnects may be back before its old connection is seen to end.
    if (this.#clients.get(client) === subscriber) this.#clients.delete(client);
  }

  isConnected(client: string): boolean {
    return this.#clients.has(client);
  }

  watch(client: string, id: JobId, wantsOutput: boolean): void {
    const clients = this.#waiting.get(id);
    if (clients === undefined) this.#waiting.set(id, new Map([[client, wantsOutput]]));
    else clients.set(client, wantsOutput);
  }

  unwatch(client: string, ids: readonly JobId[]): void {
    for (const id of ids) {
      const clients = this.#waiting.get(id);
      clients?.delete(client);
      if (clients?.size === 0) this.#waiting.delete(id);
    }
  }

  /** The jobs that somebody waits for. */
  get awaited(): JobId[] {
    return [...this.#waiting.keys()];
  }

  output(id: JobId, piece: OutputPiece): void {
    const clients = this.#waiting.get(id);
    if (clients === undefined) return;
    const takers = [...clients].filter(([, wantsOutput]) => wantsOutput);
    if (takers.length === 0) return;
    const event = encodeClientEvent({ type: "output", jobId: id, ...piece });
    for (const [client] of takers) this.#post(client, event);
  }

  streaming(id: JobId, attempt: number): void {
    const event = encodeClientEvent({ type: "streaming", jobId: id, attempt });
    for (const client of this.#waiting.get(id)?.keys() ?? []) this.#post(client, event);
  }

  finished(id: JobId, state: FinalState, outcome: Uint8Array): void {
    const clients = this.#waiting.get(id);
    if (clients === undefined) return;
    this.#waiting.delete(id);
    const event = encodeClientEvent({ type: "finished", jobId: id, state, outcome });
    for (const client of clients.keys()) this.#post(client, event);
  }

  /** Sends one client something of its own, such as what it missed. */
  post(client: string, event: Buffer): void {
    this.#post(client, event);
  }

  #post(client: string, event: Buffer): void {
    const pending = this.#outbox.get(client);
    if (pending !== undefined) {
      pending.push(frame(event));
      return;
    }
    // What happens in one turn of the loop goes down in one write.
    if (this.#outbox.size === 0) setImmediate(() => this.#flush());
    this.#outbox.set(client, [frame(event)]);
  }

  #flush(): void {
    for (const [client, frames] of this.#outbox) {
      const only = frames.length === 1 ? frames[0] : undefined;
      this.#clients.get(client)?.send(only ?? Buffer.concat(frames));
    }
    this.#outbox.clear();
  }
}
