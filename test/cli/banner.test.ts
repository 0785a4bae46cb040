/** What `kitchensink start` says when the node is ready, for people and for programs. */
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RunningCommand, startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";

test("the banner tells a person the address, the store, the workers and where the token is", async () => {
  const node = await startNodeProcess(["--embedded", "--num-workers", "2", "--queue", "gpu"]);
  expect(node.stdout).toMatch(/url +http:\/\/localhost:\d+\//);
  expect(node.stdout).toMatch(/store +the embedded store/);
  expect(node.stdout).toMatch(/workers +2, for the queue gpu/);
  expect(node.stdout).toContain(join(node.directory, "token"));
  expect(node.stdout).not.toContain(node.token);
  expect(statSync(join(node.directory, "token")).mode & 0o777).toBe(0o600);
  expect(statSync(join(node.directory, "data")).mode & 0o777).toBe(0o700);
});

test("--json says in one line what the node is", async () => {
  const node = await startNodeProcess(["--embedded", "--json", "--num-workers", "1", "--node-name", "one"]);
  expect(node.stdout.trim().split("\n")).toHaveLength(1);
  expect(JSON.parse(node.stdout)).toMatchObject({
    name: "one",
    url: node.url,
    store: expect.stringContaining("embedded"),
    redisConnection: null,
    workers: 1,
    queues: ["default"],
    namespaces: [],
    data: join(node.directory, "data"),
    hasToken: true,
    tokenFile: join(node.directory, "token"),
  });
  expect(node.stdout).not.toContain(node.token);
});

test("--json names a file with the token only where there is one", async () => {
  const start = async (flags: readonly string[], env: NodeJS.ProcessEnv): Promise<unknown> => {
    const place = ["--embedded", "--json", "--node-port", "0", "--datadir", temporaryDirectory()];
    const command = new RunningCommand(["start", ...place, ...flags], env);
    onTestFinished(() => command.kill());
    await command.says("}\n");
    return JSON.parse(command.stdout);
  };
  const env = { KITCHENSINK_TOKEN: "of the environment" };
  expect(await start([], env)).toMatchObject({ hasToken: true, tokenFile: null });
  expect(await start(["--no-token"], env)).toMatchObject({ hasToken: false, tokenFile: null });
});

test("the banner lists what modules register, and says so when they register nothing", async () => {
  const folder = temporaryDirectory();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const some = file("some.mjs", "export const one = () => 1; export function two() {}");
  const none = file("none.mjs", "export const methods = { add: (a, b) => a + b };");
  const both = await startNodeProcess(["--embedded", "--module", some, "--module", none]);
  expect(both.stdout).toMatch(/^ +functions +default: one, two$/m);
  const nothing = await startNodeProcess(["--embedded", "--module", none]);
  expect(nothing.stdout).toContain(`none: no function and no namespace() is exported by ${none}`);
});
