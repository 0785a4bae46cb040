import type { NodeName } from "../../core/ids.ts";
import { KitchenError } from "../../core/errors.ts";
import type { StoreEvent } from "../port.ts";

/** Delivers events to the one subscriber, in order, and never inside the call that caused them. */
export class EventQueue {
  #subscriber: { readonly node: NodeName; readonly onEvent: (event: StoreEvent) => void } | undefined;
  #waiting: StoreEvent[] = [];
  /** Where in `#waiting` each queue's wake-up is: one is enough, the earliest. */
  #wakes = new Map<string, number>();

  subscribe(node: NodeName, onEvent: (event: StoreEvent) => void): void {
    if (this.#subscriber !== undefined)
      throw new KitchenError(
        "KS_INTERNAL",
        "Cannot subscribe: this store delivers to one node, and does already",
      );
    this.#subscriber = { node, onEvent };
  }

  tell(node: NodeName, event: StoreEvent): void {
    if (this.#subscriber?.node === node) this.#add(event);
  }

  /** Wakes the node, unless it is the one that made the work, or the work is for another one alone. */
  wake(queue: string, origin: NodeName | undefined, delayMs: number): void {
    const node = this.#subscriber?.node;
    if (node === undefined || node === origin) return;
    if (queue.includes("|") && !queue.endsWith(`|${node}`)) return;
    const at = this.#wakes.get(queue);
    const earlier = at === undefined ? undefined : this.#waiting[at];
    if (at === undefined || earlier?.type !== "wake") {
      this.#wakes.set(queue, this.#waiting.length);
      this.#add({ type: "wake", queue, delayMs });
    } else if (delayMs < earlier.delayMs) this.#waiting[at] = { type: "wake", queue, delayMs };
  }

  close(): void {
    this.#subscriber = undefined;
    this.#waiting = [];
    this.#wakes = new Map();
  }

  #add(event: StoreEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    const events = this.#waiting;
    this.#waiting = [];
    this.#wakes = new Map();
    for (const event of events) this.#subscriber?.onEvent(event);
  }
}
