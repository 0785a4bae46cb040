// Two threads of this process: no queue, no other process, no other machine.
import { Piscina } from "piscina";
import { check, drive } from "../drive.ts";

const pool = new Piscina<{ a: number; b: number }, number>({
  filename: new URL("worker.mjs", import.meta.url).href,
  minThreads: 2,
  maxThreads: 2,
});

await drive({
  add: {
    many: async (count) => {
      const sums = await Promise.all(Array.from({ length: count }, () => pool.run({ a: 1, b: 2 })));
      for (const sum of sums) check(sum);
    },
    one: async () => check(await pool.run({ a: 1, b: 2 })),
  },
});
await pool.destroy();
