import { frames } from "../../codec/frames.ts";
import { encodeClientEvent } from "../../codec/wire.ts";
import type { JobId } from "../../core/ids.ts";
import type { FinalState } from "../../core/job-states.ts";
import type { OutputPiece, ProgressRow } from "../../store/port.ts";

/** Where a client's events go: its open stream. */
export interface Subscriber {
  send(frames: Buffer): void;
  /** Resolves when it has read enough to be sent more; `undefined`: it can be now. */
  room(): Promise<void> | undefined;
}

interface Watcher {
  readonly client: string;
  /** Whether it wants the job's output too. */
  readonly wantsOutput: boolean;
}

type Watchers = readonly Watcher[];

interface Connected {
  readonly subscriber: Subscriber;
  /** The list of watchers of all jobs that this client watches alone, with their output or without. */
  readonly alone: { readonly withOutput: Watchers; readonly withoutOutput: Watchers };
}

/** Tells clients of their jobs: who waits for which job, in this node's memory. */
export class Hub {
  readonly #onEnd: (id: JobId, state: FinalState) => void;
  readonly #clients = new Map<string, Connected>();
  readonly #waiting = new Map<JobId, Watchers>();
  /** Batches that are on their way to the store, each with when that is known to have taken it, or not. */
  readonly #unanswered = new Map<readonly JobId[], Promise<unknown>>();
  /** Jobs whose ends wait for what is told before, by how many; and the end, when it has come. */
  readonly #behind = new Map<JobId, { tellers: number; end?: readonly [FinalState, Uint8Array] }>();
  readonly #outbox = new Map<string, Buffer[]>();

  /** `onEnd` is told of every end that this node hears of, whoever waits for it; of some more than once. */
  constructor(onEnd: (id: JobId, state: FinalState) => void = () => {}) {
    this.#onEnd = onEnd;
  }

  /** The client's stream is open: its events go there, until `disconnect`. */
  connect(client: string, subscriber: Subscriber): void {
    const alone = { withOutput: watchedBy(client, true), withoutOutput: watchedBy(client, false) };
    this.#clients.set(client, { subscriber, alone });
  }

  disconnect(client: string, subscriber: Subscriber): void {
    // A client that reconnects may be back before its old connection is seen to end.
    if (this.#clients.get(client)?.subscriber === subscriber) this.#clients.delete(client);
  }

  isConnected(client: string): boolean {
    return this.#clients.has(client);
  }

  watch(client: string, id: JobId, wantsOutput: boolean): void {
    const others = this.#waiting.get(id)?.filter((watcher) => watcher.client !== client) ?? [];
    const own = this.#only(client, wantsOutput);
    this.#waiting.set(id, others.length === 0 ? own : [...others, ...own]);
  }

  unwatch(client: string, ids: readonly JobId[]): void {
    for (const id of ids) {
      const left = this.#waiting.get(id)?.filter((watcher) => watcher.client !== client) ?? [];
      if (left.length === 0) this.#waiting.delete(id);
      else this.#waiting.set(id, left);
    }
  }

  /** The jobs that the client waits for. */
  awaitedBy(client: string): JobId[] {
    const isIt = (watcher: Watcher): boolean => watcher.client === client;
    return [...this.#waiting].filter(([, watchers]) => watchers.some(isIt)).map(([id]) => id);
  }

  /** Jobs that are watched already, while the store is asked to take them: it may not know them yet. */
  async whileUnanswered<T>(ids: readonly JobId[], answer: Promise<T>): Promise<T> {
    this.#unanswered.set(ids, answer);
    try {
      return await answer;
    } finally {
      this.#unanswered.delete(ids);
    }
  }

  /** The jobs that somebody waits for, and that the store has taken. */
  get awaited(): JobId[] {
    const unanswered = new Set([...this.#unanswered.keys()].flat());
    return [...this.#waiting.keys()].filter((id) => !unanswered.has(id));
  }

  /**
   * As {@link awaited}, of the batches that the store is asked to take now: for each, those that it took and that somebody
   * still waits for, when that is known.
   */
  get awaitedLater(): Promise<readonly JobId[]>[] {
    return Array.from(this.#unanswered, async ([ids, answer]) => {
      await answer.catch(() => {});
      return ids.filter((id) => this.#waiting.has(id));
    });
  }

  /** Whether somebody waits for the job who wants its output. */
  wantsOutput(id: JobId): boolean {
    return this.#waiting.get(id)?.some(({ wantsOutput }) => wantsOutput) ?? false;
  }

  /** While `tell` tells what was missed of these jobs, their ends wait: a client listens to a job until its end. */
  async tellFirst(ids: readonly JobId[], tell: () => Promise<void>): Promise<void> {
    for (const id of ids) {
      const tellers = (this.#behind.get(id)?.tellers ?? 0) + 1;
      this.#behind.set(id, { ...this.#behind.get(id), tellers });
    }
    try {
      await tell();
    } finally {
      for (const id of ids) this.#caughtUp(id);
    }
  }

  /** Gives what resolves when all who follow the job have read enough of it; `undefined`: they have. */
  output(id: JobId, piece: OutputPiece): Promise<void> | undefined {
    const takers = this.#waiting.get(id)?.filter(({ wantsOutput }) => wantsOutput) ?? [];
    if (takers.length === 0) return undefined;
    const event = encodeClientEvent({ type: "output", jobId: id, ...piece });
    for (const { client } of takers) this.#post(client, event);
    const rooms = takers.flatMap(({ client }) => this.#clients.get(client)?.subscriber.room() ?? []);
    return rooms.length === 0 ? undefined : Promise.all(rooms).then(() => {});
  }

  streaming(id: JobId, attempt: number): void {
    const event = encodeClientEvent({ type: "streaming", jobId: id, attempt });
    for (const { client } of this.#waiting.get(id) ?? []) this.#post(client, event);
  }

  /** For who wants the output. */
  progress({ id, attempt, progress }: ProgressRow): void {
    const takers = this.#waiting.get(id)?.filter(({ wantsOutput }) => wantsOutput) ?? [];
    if (takers.length === 0) return;
    const event = encodeClientEvent({ type: "progress", jobId: id, attempt, progress });
    for (const { client } of takers) this.#post(client, event);
  }

  finished(id: JobId, state: FinalState, outcome: Uint8Array): void {
    this.#onEnd(id, state);
    const watchers = this.#waiting.get(id);
    if (watchers === undefined) return;
    const behind = this.#behind.get(id);
    if (behind !== undefined) {
      behind.end = [state, outcome];
      return;
    }
    this.#waiting.delete(id);
    const event = encodeClientEvent({ type: "finished", jobId: id, state, outcome });
    for (const { client } of watchers) this.#post(client, event);
  }

  /** Sends one client something of its own, such as what it missed. */
  post(client: string, event: Buffer): void {
    this.#post(client, event);
  }

  #caughtUp(id: JobId): void {
    const behind = this.#behind.get(id);
    if (behind === undefined || --behind.tellers > 0) return;
    this.#behind.delete(id);
    if (behind.end !== undefined) this.finished(id, ...behind.end);
  }

  #only(client: string, wantsOutput: boolean): Watchers {
    const alone = this.#clients.get(client)?.alone;
    if (alone === undefined) return watchedBy(client, wantsOutput);
    return wantsOutput ? alone.withOutput : alone.withoutOutput;
  }

  #post(client: string, event: Buffer): void {
    const pending = this.#outbox.get(client);
    if (pending !== undefined) {
      pending.push(event);
      return;
    }
    // What happens in one turn of the loop goes down in one write.
    if (this.#outbox.size === 0) setImmediate(() => this.#flush());
    this.#outbox.set(client, [event]);
  }

  #flush(): void {
    for (const [client, events] of this.#outbox) this.#clients.get(client)?.subscriber.send(frames(events));
    this.#outbox.clear();
  }
}

function watchedBy(client: string, wantsOutput: boolean): Watchers {
  return [{ client, wantsOutput }];
}
