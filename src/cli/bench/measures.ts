import { randomBytes } from "node:crypto";
import type { Client } from "../../client/client.ts";
import { RemoteData } from "../../client/remote-data/remote-data.ts";

/** What a round came to. */
export interface Round {
  /** Calls, or bytes. */
  readonly amount: number;
  readonly ms: number;
  /** How long each call took, where they were made one after the other. */
  readonly callsMs: readonly number[];
}

export interface Measure {
  readonly name: string;
  readonly unit: "calls" | "bytes";
  /** Measures for about `forMs`, once at least. */
  readonly run: (client: Client, forMs: number) => Promise<Round>;
}

const AT_A_TIME = 200;
const DATA_BYTES = 16_000_000;

export const MEASURES: readonly Measure[] = [
  { name: "queued calls, one after the other", unit: "calls", run: oneByOne },
  {
    name: "instant calls, one after the other",
    unit: "calls",
    run: async (client, forMs) => await oneByOne(client.with({ async: false }), forMs),
  },
  { name: `queued calls, ${AT_A_TIME} at a time`, unit: "calls", run: manyAtATime },
  { name: "data to the cluster", unit: "bytes", run: upwards },
  { name: "data from the cluster", unit: "bytes", run: downwards },
];

const same = (value: number): number => value;

async function oneByOne(client: Client, forMs: number): Promise<Round> {
  return await repeated(forMs, async () => {
    await client.call(same, 1);
    return 1;
  });
}

async function manyAtATime(client: Client, forMs: number): Promise<Round> {
  const began = performance.now();
  let amount = 0;
  const caller = async (): Promise<void> => {
    do {
      await client.call(same, 1);
      amount += 1;
    } while (performance.now() - began < forMs);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, caller));
  return { amount, ms: performance.now() - began, callsMs: [] };
}

/** Fresh bytes each time, for what is there already need not be sent. */
async function upwards(client: Client, forMs: number): Promise<Round> {
  const raw = randomBytes(DATA_BYTES);
  const saved: RemoteData[] = [];
  try {
    return await repeated(forMs, async () => {
      raw.writeUInt32LE(saved.length);
      saved.push(await new RemoteData({ raw, client }).save());
      return raw.length;
    });
  } finally {
    for (const data of saved) await data.delete();
  }
}

async function downwards(client: Client, forMs: number): Promise<Round> {
  const data = await new RemoteData({ raw: randomBytes(DATA_BYTES), client }).save();
  const { url: dataUrl } = await data.info();
  try {
    return await repeated(forMs, async () => (await new RemoteData({ dataUrl, client }).raw()).length);
  } finally {
    await data.delete();
  }
}

async function repeated(forMs: number, once: () => Promise<number>): Promise<Round> {
  const began = performance.now();
  const callsMs: number[] = [];
  let [amount, at] = [0, began];
  do {
    amount += await once();
    const now = performance.now();
    callsMs.push(now - at);
    at = now;
  } while (at - began < forMs);
  return { amount, ms: at - began, callsMs };
}
