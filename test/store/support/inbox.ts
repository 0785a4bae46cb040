import type { Store } from "../../../src/store/port.ts";
import { bytes, newJob, submit, type Inbox } from "./harness.ts";

const HEARD_AFTER_MS = 500;

/** Reads events up to the next one that says something may have been missed. */
export async function untilWokenForAll(inbox: Inbox): Promise<void> {
  for (;;) {
    const event = await inbox.next();
    if (event.type === "wake" && event.queue === "*") return;
  }
}

/** Brings about events for the head node until one arrives: some are missed while its connection moves. */
export async function untilHeard(store: Store, inbox: Inbox): Promise<void> {
  const heard = (async (): Promise<true> => {
    while ((await inbox.next()).type !== "finished");
    return true;
  })();
  const later = (): Promise<false> =>
    new Promise((resolve) => setTimeout(() => resolve(false), HEARD_AFTER_MS));
  do {
    const job = newJob();
    await submit(store, job);
    await store.cancel([job.id], bytes("why"));
  } while (!(await Promise.race([heard, later()])));
}
