import type { NodeName } from "../../core/ids.ts";
import { KitchenError } from "../../core/errors.ts";
import type { StoreEvent } from "../port.ts";

/** Delivers events to the one subscriber, in order, and never inside the call that caused them. */
export class EventQueue {
  #subscriber: { readonly node: NodeName; readonly onEvent: (event: StoreEvent) => void } | undefined;
  #waiting: StoreEvent[] = [];

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

  /** Wakes the node, unless it is the one that made the work. */
  wake(queue: string, origin: NodeName | undefined): void {
    if (this.#subscriber !== undefined && this.#subscriber.node !== origin)
      this.#add({ type: "wake", queue });
  }

  close(): void {
    this.#subscriber = undefined;
    this.#waiting = [];
  }

  #add(event: StoreEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) this.#subscriber?.onEvent(event);
  }
}
