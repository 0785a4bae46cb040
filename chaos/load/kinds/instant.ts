// Calls that skip the queue: their result is the answer, and nobody keeps it.
import { begin } from "../mark.ts";
import type { Caller, Kind } from "../caller.ts";

const MAY_FAIL = ["KS_UNAVAILABLE", "KS_CONNECTION_LOST", "KS_WORKER_LOST", "KS_BUSY"];

function instant(caller: Caller): void {
  const { log } = caller;
  const value = caller.dice.whole(0, 1_000);
  const job = caller.client
    .with({ async: false })
    .call((n: number) => ({ mark: begin(log), value: n }), value);
  caller.follow(job, { value, codes: MAY_FAIL, isInstant: true });
}

function instantByName(caller: Caller): void {
  const job = caller.client
    .with({ async: false, rpcName: "chaos", codec: "json" })
    .call("sum", caller.log, [1, 2]);
  caller.follow(job, { value: 3, codes: MAY_FAIL, isInstant: true });
}

export const INSTANT: readonly Kind[] = [
  { name: "instant", weight: 30, begin: instant },
  { name: "instant by name", weight: 30, begin: instantByName },
];
