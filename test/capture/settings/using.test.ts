/** TypeScript with `using`, which Node 20 and 22 do not know. */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Cluster, startCluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAJORS, NODE_MS, nodeBinary } from "../support/nodes.ts";
import { Installation } from "./support/installation.ts";

const RESOURCE = `
class Resource {
  constructor(readonly name: string) {}
  [Symbol.dispose](): void { console.log("disposed", this.name); }
  async [Symbol.asyncDispose](): Promise<void> { console.log("async disposed", this.name); }
}`;

const MODULE = `${RESOURCE}
export function names(): string {
  using one = new Resource("one");
  return one.name;
}`;

const PROGRAM = `${RESOURCE}
import { Client } from "kitchensink";
using here = new Resource("here");
await using c = new Client(process.env["KITCHENSINK_URL"]!);
const both = await c.call(async () => {
  using one = new Resource("one");
  await using two = new Resource("two");
  return one.name + two.name;
});
console.log(both);
await c.call(() => {
  using three = new Resource("three");
  throw new RangeError("not today");
}).catch((error: Error) => console.log(String(error), error.stack?.split("\\n")[1]?.replace(/^.*\\//, "")));
`;

let installation: Installation;
let cluster: Cluster;
beforeAll(async () => {
  installation = new Installation();
  const module = join(installation.folder, "names.ts");
  writeFileSync(module, MODULE);
  cluster = await startCluster({ modules: [module] });
});
afterAll(async () => {
  await cluster.close();
  installation.remove();
});

describe.each(MAJORS)("on Node %s", (major) => {
  test(
    "a program and its functions dispose of what they declare, and errors keep their lines",
    { timeout: NODE_MS },
    async () => {
      const folder = mkdtempSync(join(installation.folder, "using-"));
      writeFileSync(join(folder, "main.ts"), PROGRAM);
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      const { stdout, stderr } = await promisify(execFile)(
        await nodeBinary(major),
        ["--import", "kitchensink/register", "main.ts"],
        {
          cwd: folder,
          env: {
            ...process.env,
            NODE_OPTIONS: "",
            KITCHENSINK_URL: cluster.urls[0],
            KITCHENSINK_TOKEN: cluster.token,
          },
        },
      );
      expect(stderr).toBe("");
      expect(stdout.split("\n")).toEqual([
        "async disposed two",
        "disposed one",
        "onetwo",
        "disposed three",
        "RangeError: not today main.ts:18:9",
        "disposed here",
        "",
      ]);
    },
  );
});

test("a registered function in TypeScript disposes of what it declares", async () => {
  expect(await cluster.client.call("names")).toBe("one");
});
