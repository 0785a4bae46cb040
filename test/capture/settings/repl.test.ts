import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "../../../src/testing/start-cluster.ts";
import { MAJORS, NODE_MS, nodeBinary } from "../support/nodes.ts";
import { Installation } from "./support/installation.ts";
import { Session } from "./support/session.ts";

const program = fileURLToPath(new URL("./support/repl.mjs", import.meta.url));
const REPLS = [
  { name: "node -i", args: ["-i"] },
  { name: "node:repl that shares its globals", args: [program, "global"] },
  { name: "node:repl with globals of its own", args: [program, "context"] },
];

let installation: Installation;
let cluster: Cluster;
beforeAll(async () => {
  installation = new Installation();
  cluster = await startCluster();
});
afterAll(async () => {
  await cluster.close();
  installation.remove();
});

describe.each(MAJORS)("a notebook on Node %s", (major) => {
  test.each(REPLS)(
    "$name: what is defined, changed and defined anew counts as if it were local",
    async ({ args }) => {
      const session = await open(major, args);
      try {
        expect(await work(session)).toBe("undefined");
      } finally {
        await session.end();
      }
    },
    NODE_MS,
  );
});

async function open(major: number, args: readonly string[]): Promise<Session> {
  const cwd = installation.folder;
  const env = {
    PATH: process.env["PATH"],
    HOME: cwd,
    NODE_REPL_HISTORY: "",
    KITCHENSINK_TOKEN: cluster.token,
  };
  return new Session(await nodeBinary(major), args, { cwd, env });
}

async function work(session: Session): Promise<string> {
  await session.type('const { Client } = await import("kitchensink")');
  await session.type(`const c = new Client("${cluster.urls[0]}", { output: "inherit" })`);
  await session.type(SETUP);
  expect(await session.type("await c.call(later, 2)")).toBe("25");
  await session.type("factor = 10");
  expect(await session.type("await c.call(later, 2)")).toBe("81");
  await session.type(
    "function areaOf(side) {\n  console.log(`area of ${side}`)\n  return -new Square(side).area()\n}",
  );
  expect(await session.type("await c.call(later, 2)")).toBe("area of 2\n-79");
  await session.type("const made = await c.call((side) => new Square(side), 4)");
  expect(await session.type("made instanceof Square && made.area()")).toBe("160");
  await session.type("const list = await c.call(() => [1, new Map([[2, 3]])])");
  expect(await session.type("[list instanceof Array, list[1] instanceof Map]")).toBe("[ true, true ]");
  expect(await session.type("for (const n of [1, 2]) console.log(await c.call((m) => n + m, factor))")).toBe(
    "11\n12\nundefined",
  );
  await failing(session);
  return await session.type("await c.close()");
}

const SETUP = `let factor = 3
class Square {
  constructor(side) {
    this.side = side
  }
  area() {
    return this.side ** 2 * factor
  }
}
class TooBig extends Error {
  constructor(side) {
    super("too big")
    this.side = side
  }
}
function areaOf(side) {
  return new Square(side).area()
}
var twice = (side) => areaOf(side) * 2
async function later(side) {
  return twice(side) + 1
}`;

/** The first line of the function was typed on the second line of its definition. */
async function failing(session: Session): Promise<void> {
  await session.type("function areaOf(side) {\n  throw new TooBig(side)\n}");
  await session.type("let caught");
  await session.type("try { await c.call(later, 11) } catch (error) { caught = error }");
  expect(await session.type("[caught instanceof TooBig, caught instanceof Error, caught.side]")).toBe(
    "[ true, true, 11 ]",
  );
  const stack = await session.type("console.log(caught.stack)");
  expect(stack).toMatch(
    /^Error: too big\n    at areaOf \(REPL\d+:2:9\)\n    at twice \(REPL\d+:1:23\)\n    at later \(REPL\d+:2:10\)/,
  );
  expect(stack).toMatch(/\n    at async REPL\d+:1:\d+\nundefined$/);
}
