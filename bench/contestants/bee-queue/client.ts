// Jobs are saved by `saveAll`. The queue tells when each has ended; a job itself misses it when it ended very soon.
import Queue from "bee-queue";
import { check, drive, settings } from "../drive.ts";

const BULK = 1_000;

const { port } = settings() as { port: number };
const queue = new Queue("bench", { redis: { host: "127.0.0.1", port }, isWorker: false });
await queue.ready();
queue.on("job failed", (_, error) => {
  throw error;
});

await drive({
  add: {
    many: async (count) => {
      const ended = allEnded(count);
      for (let left = count; left > 0; left -= BULK) await queue.saveAll(jobs(Math.min(left, BULK)));
      await ended;
    },
    one: async () => {
      const ended = allEnded(1);
      for (const job of jobs(1)) await job.save();
      await ended;
    },
  },
});
await queue.close();

function jobs(count: number) {
  return Array.from({ length: count }, () => queue.createJob({ a: 1, b: 2 }));
}

function allEnded(count: number): Promise<void> {
  let ended = 0;
  return new Promise((resolve) => {
    const onSucceeded = (_: string, sum: unknown): void => {
      check(sum);
      if (++ended < count) return;
      queue.off("job succeeded", onSucceeded);
      resolve();
    };
    queue.on("job succeeded", onSucceeded);
  });
}
