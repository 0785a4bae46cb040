// Calls of a registered function by plain HTTP, over 50 connections.
import { Pool } from "undici";
import { check, drive, settings } from "../drive.ts";

const CONNECTIONS = 50;

const { url, token } = settings() as { url: string; token: string };
const pool = new Pool(new URL(url).origin, { connections: CONNECTIONS });
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

await drive({
  add: {
    many: async (count) => {
      let left = count;
      const lane = async (): Promise<void> => {
        while (left-- > 0) await add();
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, lane));
    },
    one: add,
  },
});
await pool.close();

async function add(): Promise<void> {
  const { body } = await pool.request({ method: "POST", path: "/rpc/bench/add", headers, body: "[1,2]" });
  check(await body.json());
}
