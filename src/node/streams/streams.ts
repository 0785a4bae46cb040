import type { JobId } from "../../core/ids.ts";
import { StreamedItems, UNREAD_MS } from "./streamed-items.ts";

/** A run whose result is a generator. */
export interface StreamingRun {
  readonly id: JobId;
  readonly attempt: number;
  readonly codec: string;
  /** Tells the worker how far its items were read. */
  readonly read: (from: number, isOver: boolean) => void;
  readonly cancel: (reason: string) => void;
}

/** The streamed results whose items this node holds, also for a while after their ends. */
export class Streams {
  readonly #streams = new Map<JobId, { readonly attempt: number; readonly items: StreamedItems }>();

  open({ id, attempt, codec, read, cancel }: StreamingRun): StreamedItems {
    this.#streams.get(id)?.items.close();
    const items = new StreamedItems({
      codec,
      onRead: (from, isOver) => {
        if (isOver && items.isComplete) this.#remove(id, items);
        else read(from, isOver);
      },
      onUnread: () => {
        cancel(`nobody has read its items for ${UNREAD_MS / 60_000} minutes`);
        this.#remove(id, items);
      },
    });
    this.#streams.set(id, { attempt, items });
    return items;
  }

  /** The items of a job's attempt; of whichever there is when `attempt` is 0. */
  find(id: JobId, attempt: number): StreamedItems | undefined {
    const found = this.#streams.get(id);
    return attempt === 0 || found?.attempt === attempt ? found?.items : undefined;
  }

  close(): void {
    for (const { items } of this.#streams.values()) items.close();
    this.#streams.clear();
  }

  #remove(id: JobId, items: StreamedItems): void {
    items.close();
    if (this.#streams.get(id)?.items === items) this.#streams.delete(id);
  }
}
