/**
 * Keeps data on the cluster: two tables are added where they lie, and of a large dataset only the head comes back.
 *
 *     node --import kitchensink/register examples/06-remote-data/main.ts
 */
import { RemoteData, setupClient } from "kitchensink";

const c = setupClient(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");

type Table = Record<string, number[]>;

const a = new RemoteData<Table>({ obj: { price: [10, 20, 30], tax: [1, 2, 3] } });
const b = new RemoteData<Table>({ obj: { price: [5, 5, 5], tax: [0.5, 0.5, 0.5] } });
await a.save();
await b.save();

// The call carries two pointers. The function reads the tables on the node that has them, and what it saves stays there.
async function add(left: RemoteData<Table>, right: RemoteData<Table>): Promise<RemoteData<Table>> {
  const [first, second] = await Promise.all([left.obj(), right.obj()]);
  const total = new RemoteData<Table>({
    obj: Object.fromEntries(
      Object.entries(first).map(([name, column]) => [
        name,
        column.map((value, row) => value + (second[name]?.[row] ?? 0)),
      ]),
    ),
  });
  return await total.save();
}
const job = c.call(add, a, b);
const total = await job;
console.log(`stays there: ${total.dataUrl?.replace(/[0-9a-f-]{36}/, "…")}`);
console.log("comes here:", await total.obj());

// A large dataset under a name of its own; a call on it by that name; its first rows.
const rows = Array.from({ length: 200_000 }, (_, id) => ({ id, squared: id * id }));
await new RemoteData({ obj: rows }).save({ url: "mylarge/dataset" });

const dataset = new RemoteData<typeof rows>({ dataUrl: "mylarge/dataset" });
const head = await c.call(async (data) => (await data.obj()).slice(0, 3), dataset);
console.log(head);

// The same with the result kept there, for the next call.
const even = await dataset.apply((all) => all.filter(({ id }) => id % 2 === 0));
console.log(`${await even.apply((all) => all.length).then((length) => length.obj())} even rows`);

console.log(await c.data.search("mylarge/*"));
for (const data of [a, b, total, even, dataset]) await data.delete();
await c.close();
