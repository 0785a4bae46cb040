import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "../../../src/testing/start-cluster.ts";
import { MAJORS, NODE_MS, nodeBinary } from "../support/nodes.ts";
import { Installation, ROOT } from "./support/installation.ts";
import { runSetting } from "./support/run.ts";

const inSupport = (name: string): string => fileURLToPath(new URL(`./support/${name}`, import.meta.url));

let installation: Installation;
let cluster: Cluster;
beforeAll(async () => {
  installation = new Installation();
  cluster = await startCluster({ modules: [inSupport("registered.mjs")] });
});
afterAll(async () => {
  await cluster.close();
  installation.remove();
});

test.each(MAJORS)(
  "what Jest has copies of means the worker's own, and mocks stay (Node %s)",
  async (major) => {
    const text = readFileSync(inSupport("in-jest.cjs"), "utf8");
    const jest = [join(ROOT, "node_modules/jest/bin/jest.js"), "--rootDir", ".", "--cacheDirectory", "out"];
    const setting = {
      // Two, which one process runs one after the other.
      files: { "package.json": '{ "type": "commonjs" }', "a.test.js": text, "b.test.js": text },
      commands: [[...jest, "--runInBand"]],
      env: { SETTING_MODULE: inSupport("registered.mjs") },
    };
    const node = await nodeBinary(major);
    const { report } = await runSetting(setting, { installation, cluster, node });
    expect(report).toEqual({
      packages: ["Program", 2],
      requires: "a/b",
      ofNode: [true, true],
      lexical: 3,
      named: [true, true],
      ownError: true,
      builtIn: true,
      refused: [true, expect.stringContaining('Cannot capture captured "mock": a mock function records')],
    });
  },
  NODE_MS,
);
