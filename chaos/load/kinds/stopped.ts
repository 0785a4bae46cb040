// Calls that somebody stops.
import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "kitchensink";
import { begin } from "../mark.ts";
import { codeOf, type Caller, type Kind } from "../caller.ts";

const SHORT_MS = 200;

/** Runs to its end, unless it is stopped. */
function slow(caller: Caller, forMs: number, options: { timeoutMs?: number } = {}): Job<unknown> {
  return caller.client.with({ rpcName: "chaos", ...options }).call("echo", caller.log, forMs, forMs);
}

/** While it waits, while it runs, or when it is over. */
function cancelled(caller: Caller): void {
  const forMs = caller.dice.whole(0, 1_500);
  const job = slow(caller, forMs);
  caller.follow(job, { value: forMs, mayBeCancelled: true });
  caller.options.hold(cancelLater(caller, job, caller.dice.whole(0, 2_000)));
}

async function cancelLater(caller: Caller, job: Job<unknown>, afterMs: number): Promise<void> {
  await sleep(afterMs);
  try {
    await job.cancel("chaos");
    caller.options.journal.write({ type: "cancel", id: job.id });
  } catch (error) {
    caller.count(`cancels refused with ${codeOf(error) ?? String(error)}`);
  }
}

/** It cannot keep its deadline. */
function late(caller: Caller): void {
  caller.follow(slow(caller, SHORT_MS * 10, { timeoutMs: SHORT_MS }), { codes: ["KS_TIMEOUT"] });
}

/** It can, if it gets a processor. */
function punctual(caller: Caller): void {
  caller.follow(slow(caller, 0, { timeoutMs: 10_000 }), { value: 0, codes: ["KS_TIMEOUT"] });
}

/** Blocks its thread, so that only a kill ends it. */
function deaf(caller: Caller): void {
  const { log } = caller;
  const job = caller.client.with({ timeoutMs: SHORT_MS }).call(() => {
    begin(log);
    for (;;);
  });
  caller.follow(job, { codes: ["KS_TIMEOUT"] });
}

export const STOPPED: readonly Kind[] = [
  { name: "cancelled", weight: 25, begin: cancelled },
  { name: "late", weight: 8, begin: late },
  { name: "punctual", weight: 20, begin: punctual },
  { name: "deaf", weight: 1, begin: deaf },
];
