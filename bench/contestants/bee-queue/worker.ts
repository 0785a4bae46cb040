// A worker process of bee-queue: 50 jobs at a time.
import Queue from "bee-queue";
import { settings } from "../drive.ts";

const { port, concurrency } = settings() as { port: number; concurrency: number };
const queue = new Queue<{ a: number; b: number }>("bench", { redis: { host: "127.0.0.1", port } });
queue.process(concurrency, async ({ data: { a, b } }) => a + b);
await queue.ready();
console.log("ready");
