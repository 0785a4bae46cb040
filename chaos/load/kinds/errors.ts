// Calls that throw, and calls that take their worker along.
import { begin, Thrown } from "../mark.ts";
import type { Caller, Kind } from "../caller.ts";

/** The first attempts throw; more retries are allowed than that. */
const THROWS = 2;
const RETRIES = 4;

function throwing(caller: Caller): void {
  const { log } = caller;
  const job = caller.client.call(() => {
    throw new Thrown(begin(log));
  });
  caller.follow(job, { throws: "Thrown" });
}

function retried(caller: Caller): void {
  const { log } = caller;
  const job = caller.client.with({ retries: RETRIES }).call(() => {
    const mark = begin(log);
    if (mark.attempt <= THROWS) throw new Thrown(mark);
    return { mark, value: "at last" };
  });
  caller.follow(job, { value: "at last" });
}

/** The first attempt is killed, or aborts. */
function dying(caller: Caller): void {
  const { log } = caller;
  const aborts = caller.dice.chance(0.5);
  const job = caller.client.call(() => {
    const mark = begin(log);
    if (mark.attempt === 1 && aborts) process.abort();
    if (mark.attempt === 1) process.kill(process.pid, "SIGKILL");
    return { mark, value: "survived" };
  });
  caller.follow(job, { value: "survived" });
}

/** Every attempt is. */
function deadly(caller: Caller): void {
  const { log } = caller;
  const job = caller.client.call(() => {
    begin(log);
    process.kill(process.pid, "SIGKILL");
  });
  caller.follow(job, {});
}

function exiting(caller: Caller): void {
  const { log } = caller;
  const job = caller.client.call(() => {
    begin(log);
    process.exit(7);
  });
  caller.follow(job, { exits: true });
}

/** Takes more memory than a worker may have, once. */
function greedy(caller: Caller): void {
  const { log } = caller;
  const job = caller.client.call(() => {
    const mark = begin(log);
    const kept: number[][] = [];
    while (mark.attempt === 1) kept.push(Array.from({ length: 100_000 }, (_, at) => at + 0.5));
    return { mark, value: kept.length };
  });
  caller.follow(job, { value: 0 });
}

export const ERRORS: readonly Kind[] = [
  { name: "throwing", weight: 60, begin: throwing },
  { name: "retried", weight: 20, begin: retried },
  { name: "dying", weight: 3, begin: dying },
  { name: "deadly", weight: 1, begin: deadly },
  { name: "greedy", weight: 1, begin: greedy },
  { name: "exiting", weight: 2, begin: exiting },
];
