/** `kitchensink types`: what it prints gives a client without the server's sources its types. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand, type CommandResult } from "../support/cli.ts";
import { ROOT } from "../docs/support/markdown.ts";
import { run, workspace } from "../docs/support/workspace.ts";

const MODULE = fileURLToPath(new URL("./fixtures/typed/functions.ts", import.meta.url));
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ modules: [MODULE] });
});
afterAll(() => cluster.close());

const types = (...flags: readonly string[]): Promise<CommandResult> =>
  runCommand(["types", "--url", cluster.urls[0] ?? "", ...flags], { KITCHENSINK_TOKEN: cluster.token });

/** What the compiler says of a client program, with declarations checked as strictly as the program. */
async function compile(program: string): Promise<string> {
  const { stdout } = await types();
  const folder = workspace({ "api.d.ts": stdout, "main.ts": program });
  const tsconfig = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: { paths: {}, typeRoots: [join(ROOT, "node_modules", "@types")], skipLibCheck: false },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const ended = await run(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit"], { folder });
  return ended.stdout;
}

const HEAD = `
import { Client } from "kitchensink";
import type { Default, Shop } from "./api.d.ts";
const shop = new Client("http://localhost:6323/").rpc<Shop>("shop");
const others = new Client("http://localhost:6323/").rpc<Default>("default");
`;

test("a client program compiles against it, with the types as they were written", async () => {
  const program = `${HEAD}
const sum: number = await shop.add(1, 2);
await shop.add(1);
const weight: number = await shop.weigh(2, { unit: 1_000, at: { street: "a", no: 1 } });
const friends: readonly { readonly name: string }[] = (await shop.find("Ada")).friends;
const no: number = (await shop.home()).no;
const dollars: number = await shop.convert(3, "usd");
const { owner } = await shop.account({ name: "Ada", friends: [] });
for await (const n of await shop.count(1, 3)) n.toFixed();
const file: string = await shop.resize({ width: 3 });
const joined: string = await shop.join("-", "a", "b");
const answer: "yes" | "no" = await shop.inline(true);
const dashed: number = await shop["with-dash"](1);
const line = { article: "hat", count: 1 };
const parcel = { to: { street: "a", no: 1 }, lines: [line] };
const sent: number | undefined = (await shop.send(parcel, line)).orders[0]?.to.no;
const articles: readonly string[] = (await shop.unpack(parcel)).map(({ article }) => article);
const anything: unknown = await shop.addresses("x");
const untold: unknown = await others.untold("x");
export { sum, no, weight, friends, dollars, owner, file, joined, answer, dashed, sent, articles, anything, untold };
`;
  expect(await compile(program)).toBe("");
});

const MISTAKES = [
  ["a wrong argument", 'await shop.add("1");', "TS2345"],
  ["too few arguments", "await shop.weigh(1);", "TS2554"],
  ["a wrong value in an imported type", "await shop.weigh(1, { at: { street: 1, no: 1 } });", "TS2322"],
  [
    "a wrong value in a default type",
    'await shop.unpack({ to: { street: "a", no: 1 }, lines: [1] });',
    "TS2322",
  ],
  [
    "a wrong value in a type of another module",
    "await shop.send(parcel, { article: 1, count: 1 });",
    "TS2322",
  ],
  ["a key that is not there", 'await shop.convert(1, "chf");', "TS2345"],
  ["what the schema refuses", 'await shop.resize({ width: "3" });', "TS2322"],
  ["a wrong result", "(await shop.add(1, 2)).length;", "TS2339"],
  ["what is not known", "(await others.untold('x')).length;", "TS2571"],
  ["a function that is not there", "await shop.remove();", "TS2339"],
] as const;

test("the compiler refuses what does not fit", async () => {
  const said = await compile(
    HEAD.trim().split("\n").join(" ") +
      " declare const parcel: Parameters<typeof shop.unpack>[0];" +
      MISTAKES.map(([, line]) => `\n${line}`).join(""),
  );
  const errors = [...said.matchAll(/^main\.ts\((\d+),\d+\): error (TS\d+)/gm)].map(([, line, code]) => [
    MISTAKES[Number(line) - 2]?.[0],
    code,
  ]);
  expect(errors).toEqual(MISTAKES.map(([what, , code]) => [what, code]));
});

test("namespaces whose interfaces would have the same name have each one", async () => {
  const program = `
import { Client } from "kitchensink";
import type { LeftRight, LeftRight2 } from "./api.d.ts";
const c = new Client("http://localhost:6323/");
export const text: string = await c.rpc<LeftRight>("left.right").tell(1);
export const count: number = await c.rpc<LeftRight2>("leftRight").tell("one");
`;
  expect(await compile(program)).toBe("");
});

test("it has the comments, and nothing of what no function refers to", async () => {
  const { stdout } = await types("--namespace", "shop");
  expect(stdout).toContain("     * Adds two numbers.\n     * @param b one by default\n");
  expect(stdout).toMatch(/^\/\/ Made by kitchensink types/);
  expect(stdout).not.toMatch(/createHash|methods|Default/);
});

test("--json gives an object with it", async () => {
  const { stdout, code } = await types("--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ declarations: expect.stringContaining("export interface Shop") });
});

test("a namespace that is not there, and an address that is none, are said", async () => {
  expect(await types("--namespace", "nowhere")).toMatchObject({
    code: 5,
    stdout: "",
    stderr: expect.stringContaining('There is no namespace "nowhere"'),
  });
  const { code, stderr } = await runCommand(["types", "--url", "nonsense"]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("Not the address of a node") });
});

test("a node without registered functions gives an empty file, and says so on stderr", async () => {
  await using empty = await startCluster();
  const { stdout, stderr, code } = await runCommand(["types", "--url", empty.urls[0] ?? ""], {
    KITCHENSINK_TOKEN: empty.token,
  });
  expect({ code, lines: stdout.trim().split("\n") }).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^\/\/ Made by/)],
  });
  expect(stderr).toContain("No functions are registered at http://");
});

test("--help has an example", async () => {
  expect((await runCommand(["types", "--help"])).stdout).toContain(
    "kitchensink types --namespace test > api.d.ts",
  );
});
