import type { StoreEvent } from "../../store/port.ts";
import type { Dispatcher } from "../jobs/dispatcher.ts";
import type { Hub } from "./hub.ts";
import type { Recovery } from "../jobs/recovery.ts";

/** In a wake-up: any queue, and events may have been missed. */
const ALL_QUEUES = "*";

/** Those of a node whom the store's events concern. */
export interface Listeners {
  readonly hub: Hub;
  readonly dispatcher: Dispatcher;
  readonly recovery: Recovery;
}

/** Hands on what the store tells a node. */
export function receive(event: StoreEvent, { hub, dispatcher, recovery }: Listeners): void {
  switch (event.type) {
    case "wake":
      if (event.queue === ALL_QUEUES) recovery.begin();
      else dispatcher.wakeFor(event.queue, event.delayMs);
      break;
    case "broken":
      recovery.missEvents();
      break;
    case "finished":
      recovery.finished(event);
      break;
    case "output":
      // What another node runs cannot be held up from here.
      void hub.output(event.id, event.piece);
      break;
    case "streaming":
      hub.streaming(event.id, event.attempt);
      break;
    case "progress":
      hub.progress(event);
      break;
    case "cancel":
      dispatcher.cancel(event.id, event.attempt);
      break;
  }
}
