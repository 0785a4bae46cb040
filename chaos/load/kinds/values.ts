// Calls that return something.
import { client, currentJob } from "kitchensink";
import { begin } from "../mark.ts";
import type { Caller, Kind } from "../caller.ts";

const LARGE_CHARACTERS = 60_000;

/** A closure over values of its caller. */
function captured(caller: Caller): void {
  const { log, dice } = caller;
  const rates = new Map([["a", dice.whole(1, 9)]]);
  const times = dice.whole(1, 99);
  const scaled = (amount: number): number => amount * (rates.get("a") ?? 0);
  const job = caller.client.call((n: number) => ({ mark: begin(log), value: scaled(n) }), times);
  caller.follow(job, { value: scaled(times) });
}

function registered(caller: Caller): void {
  const numbers = Array.from({ length: caller.dice.whole(0, 20) }, () => caller.dice.whole(0, 1_000));
  const byName = caller.client.with({ rpcName: "chaos", codec: "json", priority: caller.dice.whole(-5, 5) });
  const value = numbers.reduce((total, number) => total + number, 0);
  caller.follow(byName.call("sum", caller.log, numbers), { value });
}

/** Arguments and a result that have keys of their own in the store. */
function large(caller: Caller): void {
  const text = String(caller.dice.whole(0, 9)).repeat(caller.dice.whole(1, LARGE_CHARACTERS));
  const job = caller.client.with({ rpcName: "chaos" }).call("echo", caller.log, text, 0);
  caller.follow(job, { value: text });
}

/** Nobody waits: it is read by its id. */
function left(caller: Caller): void {
  const { log } = caller;
  const value = caller.dice.whole(0, 1_000);
  caller.leave(
    caller.client.call(() => ({ mark: begin(log), value })),
    { value },
  );
}

function busy(caller: Caller): void {
  const { log } = caller;
  const forMs = caller.dice.whole(50, 1_500);
  const job = caller.client.call(() => {
    const mark = begin(log);
    const endsAt = Date.now() + forMs;
    while (Date.now() < endsAt);
    return { mark, value: forMs };
  });
  caller.follow(job, { value: forMs });
}

function long(caller: Caller): void {
  const forMs = caller.dice.whole(1_000, 15_000);
  const job = caller.client.with({ rpcName: "chaos" }).call("echo", caller.log, forMs, forMs);
  caller.follow(job, { value: forMs });
}

/** One that waits for the result of another. The worker that was lost under that one is then the reason of both. */
function chained(caller: Caller): void {
  const { log } = caller;
  const value = caller.dice.whole(0, 1_000);
  const first = caller.client.call(() => ({ mark: begin(log), value }));
  const second = caller.client.call(
    (given: { readonly value: number }) => ({ mark: begin(log), value: given.value + 1 }),
    first,
  );
  caller.follow(first, { value });
  caller.follow(second, { value: value + 1, codes: ["KS_WORKER_LOST"] });
}

/** What a job may be told of one that it called itself. */
const OF_THE_OTHER = [
  "KS_CONNECTION_LOST",
  "KS_NO_SUCH_JOB",
  "KS_STATE_LOST",
  "KS_UNAVAILABLE",
  "KS_WORKER_LOST",
] as const;

/** One that calls another and awaits it: its worker's place is needed meanwhile. */
function calling(caller: Caller): void {
  const { log } = caller;
  const value = caller.dice.whole(0, 1_000);
  const job = caller.client.call(async (given: number) => {
    const mark = begin(log);
    const quiet = client().with({ output: "off" });
    return { mark, value: await quiet.call((n: number) => n + 1, given) };
  }, value);
  caller.follow(job, { value: value + 1, codes: OF_THE_OTHER });
}

/** A map counts as a whole: results in order, each of a job of its own; or the reason of the first call that failed. */
function map(caller: Caller): void {
  const items = Array.from({ length: caller.dice.whole(1, 30) }, (_, at) => at);
  const squares = caller.client.map((n: number) => ({ id: currentJob().id, square: n * n }), items);
  const check = (results: readonly { readonly id: string; readonly square: number }[]): void => {
    const isRight = results.length === items.length && results.every(({ square }, at) => square === at * at);
    const jobs = new Set(results.map(({ id }) => id));
    if (!isRight || jobs.size !== items.length) caller.wrong("result", "map", JSON.stringify(results));
    caller.count("maps that came back whole");
  };
  caller.options.hold(squares.then(check, () => caller.count("maps that broke off")));
}

export const VALUES: readonly Kind[] = [
  { name: "captured", weight: 330, begin: captured },
  { name: "registered", weight: 230, begin: registered },
  { name: "large", weight: 30, begin: large },
  { name: "left", weight: 60, begin: left },
  { name: "chained", weight: 40, begin: chained },
  { name: "calling", weight: 15, begin: calling },
  { name: "busy", weight: 6, begin: busy },
  { name: "long", weight: 6, begin: long },
  { name: "map", weight: 10, begin: map },
];
