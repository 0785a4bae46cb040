// Jobs are added in bulk, as BullMQ's documentation has it for many, and `QueueEvents` tells when each has ended.
import { Queue, QueueEvents } from "bullmq";
import { check, drive, settings } from "../drive.ts";

const BULK = 1_000;

const connection = { host: "127.0.0.1", port: (settings() as { port: number }).port };
const queue = new Queue("bench", { connection });
const events = new QueueEvents("bench", { connection });
await events.waitUntilReady();
events.on("failed", ({ failedReason }) => {
  throw new Error(failedReason);
});

await drive({
  add: {
    many: async (count) => {
      const ended = allEnded(count);
      for (let left = count; left > 0; left -= BULK) await queue.addBulk(jobs(Math.min(left, BULK)));
      await ended;
    },
    one: async () => {
      const job = await queue.add("add", { a: 1, b: 2 });
      check(await job.waitUntilFinished(events));
    },
  },
});
await Promise.all([queue.close(), events.close()]);

function jobs(count: number): { name: string; data: object }[] {
  return Array.from({ length: count }, () => ({ name: "add", data: { a: 1, b: 2 } }));
}

function allEnded(count: number): Promise<void> {
  let ended = 0;
  return new Promise((resolve) => {
    const onCompleted = ({ returnvalue }: { returnvalue: string }): void => {
      check(Number(returnvalue));
      if (++ended < count) return;
      events.off("completed", onCompleted);
      resolve();
    };
    events.on("completed", onCompleted);
  });
}
