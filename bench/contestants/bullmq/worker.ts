// A worker process of BullMQ. Sandboxed, each job runs in a child process of its own pool, as here.
import { fileURLToPath } from "node:url";
import { Worker } from "bullmq";
import { settings } from "../drive.ts";

const { port, concurrency, isSandboxed } = settings() as {
  port: number;
  concurrency: number;
  isSandboxed: boolean;
};
const options = { connection: { host: "127.0.0.1", port }, concurrency };

const worker = isSandboxed
  ? new Worker("bench", fileURLToPath(new URL("processor.mjs", import.meta.url)), {
      ...options,
      workerForkOptions: { execArgv: [] },
    })
  : new Worker<{ a: number; b: number }, number>("bench", async ({ data: { a, b } }) => a + b, options);
await worker.waitUntilReady();
console.log("ready");
