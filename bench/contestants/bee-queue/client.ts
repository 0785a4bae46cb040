// Jobs are saved by `saveAll`, and each tells by an event when it has ended.
import Queue from "bee-queue";
import { check, drive, settings } from "../drive.ts";

const BULK = 1_000;

const redis = { host: "127.0.0.1", port: (settings() as { port: number }).port };
const queue = new Queue<{ a: number; b: number }>("bench", { redis, isWorker: false });
await queue.ready();

type Job = ReturnType<typeof newJob>;

await drive({
  add: {
    many: async (count) => {
      const jobs = Array.from({ length: count }, newJob);
      const ends = jobs.map(ended);
      for (let from = 0; from < count; from += BULK) await queue.saveAll(jobs.slice(from, from + BULK));
      await Promise.all(ends);
    },
    one: async () => {
      const job = newJob();
      const end = ended(job);
      await job.save();
      await end;
    },
  },
});
await queue.close();

function newJob() {
  return queue.createJob({ a: 1, b: 2 });
}

function ended(job: Job): Promise<void> {
  return new Promise((resolve, reject) => {
    job.once("succeeded", (sum: unknown) => {
      check(sum);
      resolve();
    });
    job.once("failed", reject);
  });
}
