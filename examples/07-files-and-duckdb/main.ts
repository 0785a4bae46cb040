/**
 * Saves a Parquet file on the cluster and has DuckDB query it there: the file's path goes to the library as it is, and
 * only the answer travels.
 *
 *     npm install @duckdb/node-api
 *     node --import kitchensink/register examples/07-files-and-duckdb/main.ts
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { RemoteData, setupClient } from "kitchensink";

const c = setupClient(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");
const directory = await mkdtemp(join(tmpdir(), "trips-"));
const path = join(directory, "trips.parquet");

async function query(sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

await query(`COPY (
  SELECT range AS id, range % 3 AS zone, (range % 50)::DOUBLE AS fare FROM range(300000)
) TO '${path}' (FORMAT parquet)`);

const trips = await new RemoteData({ localPath: path }).save({ url: "trips/2026.parquet" });
const { type, replicas } = await trips.info();
console.log(`a ${type} on ${replicas.length} node`);

const fares = await c.call(
  async (file: RemoteData) =>
    await query(`SELECT zone, count(*)::INT AS trips, avg(fare) AS fare
      FROM read_parquet('${await file.localPath()}') GROUP BY zone ORDER BY zone`),
  trips,
);
console.log(fares);

await trips.delete();
await c.close();
await rm(directory, { recursive: true });
