import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { captureParts } from "../../src/capture/capture.ts";
import { reviveParts } from "../../src/capture/revive.ts";
import { asCompleted } from "../../src/client/jobs/as-completed.ts";
import { Client } from "../../src/client/client.ts";
import type { Job } from "../../src/client/jobs/job.ts";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";
import type * as own from "../../src/index.ts";
import { codecNamed } from "../../src/codec/codec.ts";
import { DataServer } from "./support/data-server.ts";

/** The package as it is built: another copy than the one that the tests import. */
const other = (await import(new URL("../../dist/index.js", import.meta.url).href)) as typeof own;

const noUnits = (): Uint8Array => new Uint8Array();

test("an instance of another copy of the package travels, and arrives as one of the own copy", () => {
  expect(other.RemoteData).not.toBe(RemoteData);
  const foreign = new other.RemoteData({ dataUrl: "shared/data" });
  const { graph, pointers } = captureParts([foreign]);
  expect(pointers).toEqual(["shared/data"]);
  const [back] = reviveParts(graph, noUnits) as [RemoteData];
  expect(back).toBeInstanceOf(RemoteData);
  expect(back.dataUrl).toBe("shared/data");
  for (const codec of ["json", "structured"].map(codecNamed))
    expect(codec.decode(codec.encode([foreign]))).toEqual([back]);
  const unsaved = new other.RemoteData({ obj: 1 });
  expect(() => captureParts([unsaved])).toThrow(/Cannot send the RemoteData at \[0\]: it is not saved/);
});

test("a job of another copy of the package is waited for as one of the own copy", async () => {
  const server = await DataServer.start();
  await using foreign = new other.Client(server.url);
  await using c = new Client(server.url);
  const call = (value: number): Job<number> => foreign.call<number>("echo", value);
  expect(await c.gather({ one: call(1), more: [call(2), 3] })).toEqual({ one: 1, more: [2, 3] });
  const values: unknown[] = [];
  for await (const completed of asCompleted([call(4)])) values.push(completed);
  expect(values).toMatchObject([{ index: 0, status: "fulfilled", value: 4 }]);
});

test("require gives the same class as import", () => {
  const program = `
    const { RemoteData } = require(${JSON.stringify(new URL("../../commonjs/index.cjs", import.meta.url).pathname)});
    import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)}).then((module) =>
      console.log(module.RemoteData === RemoteData, new RemoteData({ dataUrl: "x" })));
  `;
  const output = execFileSync(process.execPath, ["--input-type=commonjs", "-e", program], {
    encoding: "utf8",
  });
  expect(output).toBe("true RemoteData<x>\n");
});

test("files that were fetched are gone when the process has ended", async () => {
  const server = await DataServer.start();
  server.put("tables/a.csv", Buffer.from("a,b"));
  const program = `
    import { Client, RemoteData } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
    import { readFileSync } from "node:fs";
    const client = new Client(${JSON.stringify(server.url)});
    const path = await new RemoteData({ dataUrl: "tables/a.csv", client }).localPath();
    console.log(path, readFileSync(path, "utf8"));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  const [path = "", text] = stdout.trim().split(" ");
  expect(path).toMatch(/kitchensink-.*\/a\.csv$/);
  expect(text).toBe("a,b");
  expect(existsSync(path)).toBe(false);
});
