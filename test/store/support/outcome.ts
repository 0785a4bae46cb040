import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import type { Store } from "../../../src/store/port.ts";
import { bytes, claim, DEFAULTS, HEAD, inboxOf, N1, newJob, register, submit } from "./harness.ts";

/** Opens the store at an address; it is closed with the test. */
export async function openAt(address: string, cluster: string = randomUUID()): Promise<Store> {
  const store = await openRedisStore({ cluster, address: parseRedisAddress(address), ...DEFAULTS });
  onTestFinished(() => store.close());
  return store;
}

/** One job's way through a store: submitted, claimed, finished, and heard of. */
export async function outcomeAt(address: string): Promise<string> {
  const store = await openAt(address);
  const inbox = await inboxOf(store, HEAD);
  await register(store, N1);
  const job = newJob();
  await submit(store, job);
  await claim(store, N1);
  await store.finish(N1, [{ id: job.id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
  for (;;) {
    const event = await inbox.next();
    if (event.type === "finished") return event.state;
  }
}

/** The message of the error when the store cannot be opened there; empty when it can. */
export async function refusal(address: string): Promise<string> {
  const error: unknown = await openAt(address).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof Error ? error.message : "";
}
