// The program that is run in every setting, as it is or compiled. What it found goes to a file, for the test to judge.
import { writeFileSync } from "node:fs";
import ms from "ms";
import { Client } from "kitchensink";
import { capture } from "kitchensink/capture";
import { Priced, setTax, taxed } from "./prices.ts";

let bonus = 1;
const rates = new Map([["EUR", 2]]);
const inEuro = (amount: number): number => amount * (rates.get("EUR") ?? 0) + bonus;

class Item extends Priced {
  override price(): number {
    return super.price() * 10;
  }
}

class Parcel {
  readonly items: readonly Item[];

  constructor(items: readonly Item[]) {
    this.items = items;
  }
}

class OutOfStock extends Error {
  readonly item: string;

  constructor(item: string) {
    super(`there is no ${item}`);
    this.item = item;
  }
}

let sold = 0;

// oxfmt-ignore
function sell(item: Item, count: number): number {


    if (count   >   3)   throw new OutOfStock(item.name);
  sold += count;
  return item.price() * sold;
}

const onlyThrows = (limit: number): never => {
  throw new RangeError(`above ${limit}`);
};

const compiled = (): string => "";

export async function run(): Promise<void> {
  const client = new Client(process.env["SETTING_URL"] ?? "", { output: "off" });
  try {
    writeFileSync(process.env["SETTING_REPORT"] ?? "", JSON.stringify(await report(client)));
  } finally {
    await client.close();
  }
}

async function report(client: Client): Promise<object> {
  const before = await client.call(() => inEuro(10));
  bonus = 5;
  const after = await client.call(() => inEuro(10));
  setTax(1);
  const hat = new Item("hat", 3);
  const list = await client.call((one: number) => [one, [{ of: one }], new Map([[one, new Date(one)]])], 7);
  const parcel = await client.call(() => new Parcel([]));
  return {
    before,
    after,
    sold: await client.call(sell, hat, 2),
    soldHere: sold,
    taxed: await client.call(() => taxed(inEuro(1))),
    packaged: await client.call(() => ms("2s")),
    compiled: await client.call(compiled),
    size: capture(inEuro).length,
    list,
    kinds: [
      Object.getPrototypeOf(list) === Array.prototype,
      Object.getPrototypeOf(list[1]) === Array.prototype,
      list[2] instanceof Map,
      parcel instanceof Parcel,
      Object.getPrototypeOf(parcel.items) === Array.prototype,
    ],
    own: await failing(client, "own"),
    builtIn: await failing(client, "built-in"),
  };
}

async function failing(client: Client, kind: "own" | "built-in"): Promise<object> {
  try {
    await (kind === "own" ? client.call(sell, new Item("cap", 1), 4) : client.call(onlyThrows, 3));
    return { threw: false };
  } catch (error) {
    return {
      isOwn: error instanceof OutOfStock,
      isRange: error instanceof RangeError,
      isError: error instanceof Error,
      item: (error as OutOfStock).item,
      message: (error as Error).message,
      stack: (error as Error).stack,
    };
  }
}
