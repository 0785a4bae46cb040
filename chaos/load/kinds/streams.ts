// Generators: items in order, each once, whatever happens on the way; then an end, or an error that says why there is none.
import { begin } from "../mark.ts";
import { codeOf, errorSeen, type Caller, type Kind } from "../caller.ts";

function streamed(caller: Caller): void {
  const { log, dice } = caller;
  const count = dice.whole(0, 200);
  const pauseMs = dice.chance(0.3) ? dice.whole(1, 50) : 0;
  const job = caller.client.call(async function* () {
    begin(log);
    for (let item = 0; item < count; item += 1) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      yield item;
    }
  });
  caller.made(job.id, { isStream: true, mayBeCancelled: true });
  caller.options.submitted(job);
  const most = dice.chance(0.2) ? dice.whole(0, count) : count;
  caller.options.hold(read(caller, job, most));
}

/** Leaves the loop after `most` items. */
async function read(
  caller: Caller,
  job: PromiseLike<AsyncIterable<number>> & { readonly id: string },
  most: number,
): Promise<void> {
  let next = 0;
  try {
    for await (const item of await job) {
      if (item !== next) caller.wrong("items", job.id, `item ${item} came where ${next} was due`);
      next += 1;
      if (next >= most) break;
    }
    if (next < most) caller.wrong("items", job.id, `it ended after ${next} items of ${most}`);
    caller.count("streams read");
    caller.seen(job.id, { type: "items", count: next });
  } catch (error) {
    caller.count(`streams broken off with ${codeOf(error) ?? String(error)}`);
    caller.seen(job.id, errorSeen(error));
  }
}

export const STREAMS: readonly Kind[] = [{ name: "streamed", weight: 25, begin: streamed }];
