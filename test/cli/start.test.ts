import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Client } from "kitchensink";
import { expect, onTestFinished, test } from "vitest";
import { clientOf, gone, isAlive, runCommand, startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { freePort, startRedis } from "../store/support/redis.ts";

test("a Redis that answers is used, and the banner has a line for the next node, which joins", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const first = await startNodeProcess(["--redis-connection", redis.address]);
  expect(first.stdout).toContain(`--no-redis --redis-connection "${redis.address}"`);
  const second = await startNodeProcess([
    "--no-redis",
    "--redis-connection",
    redis.address,
    "--node-name",
    "second",
    "--token-file",
    join(first.directory, "token"),
  ]);
  const names = (await clientOf(second).nodes()).map(({ name }) => name);
  expect(names).toContain("second");
  expect(names).toHaveLength(2);
  const pids = await clientOf(first).map(() => process.pid, [1, 2, 3, 4]);
  expect(pids).toHaveLength(4);
});

test("a node with another token than those of the cluster is refused, with the way out", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const flags = ["--no-redis", "--redis-connection", redis.address];
  await startNodeProcess(flags);
  const second = startNodeProcess([...flags, "--node-name", "second"]);
  await expect(second).rejects.toThrow(
    /Cannot join the cluster "default": its nodes have another token \(fingerprint [0-9a-f]{8}, this node's is [0-9a-f]{8}\)/,
  );
});

test("without a Redis, a server of this machine is started, keeps jobs across nodes, and ends with the node", async () => {
  const port = await freePort();
  const home = temporaryDirectory();
  const flags = ["--datadir", join(home, "data")];
  const first = await startOwnRedis(flags, port);
  const c = clientOf(first);
  const job = c.call(() => 42);
  expect(await job).toBe(42);
  const redisPid = await redisPidAt(port);
  expect(isAlive(redisPid)).toBe(true);
  first.kill("SIGINT");
  expect(await first.exited).toBe(0);
  await gone([redisPid]);
  const second = await startOwnRedis(flags, port);
  expect(await clientOf(second).result(job.id)).toBe(42);
});

/** A node on its own Redis server; the default address, but for the port, which a test cannot share. */
async function startOwnRedis(flags: readonly string[], port: number): ReturnType<typeof startNodeProcess> {
  return await startNodeProcess(flags, {
    PATH: process.env["PATH"],
    KITCHENSINK_REDIS: `tcp://localhost:${port}?db=9`,
  });
}

async function redisPidAt(port: number): Promise<number> {
  const { Redis } = await import("ioredis");
  const redis = new Redis({ port, host: "127.0.0.1" });
  const info = await redis.info("server");
  redis.disconnect();
  return Number(/process_id:(\d+)/.exec(info)?.[1]);
}

test("without a Redis and without a server for it, the embedded store is used, loudly", async () => {
  const port = await freePort();
  const node = await startNodeProcess([], {
    PATH: temporaryDirectory(),
    KITCHENSINK_REDIS: `tcp://localhost:${port}?db=9`,
  });
  expect(node.stdout).toMatch(/NO REDIS HERE/);
  expect(node.stdout).toMatch(/apt-get install redis-server|brew install redis/);
  expect(await clientOf(node).call(() => "works")).toBe("works");
});

test("a script that connects, calls and closes exits by itself; so does one that forgets to close", async () => {
  const node = await startNodeProcess();
  for (const ending of ["await c.close();", ""]) {
    const script = `import { Client } from "kitchensink"; const c = new Client(${JSON.stringify(node.url)}); console.log(await c.call((a, b) => a + b, 1, 2)); ${ending}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      env: { PATH: process.env["PATH"], KITCHENSINK_TOKEN: node.token },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect({ code, stdout }).toEqual({ code: 0, stdout: "3\n" });
  }
});

test("--reload replaces the workers when a module changes, and keeps them while it does not compile", async () => {
  const directory = temporaryDirectory();
  const module = join(directory, "answers.ts");
  writeFileSync(module, "export const answer = (): number => 1;");
  const node = await startNodeProcess(["--embedded", "--module", module, "--reload", "--log-level", "info"]);
  const c = clientOf(node);
  expect(await c.call("answer")).toBe(1);
  writeFileSync(module, "export const answer = (): number => 2;");
  await expect.poll(() => c.call("answer"), { timeout: 5_000 }).toBe(2);
  writeFileSync(module, "export const answer = (: number => 3;");
  await expect.poll(() => node.stderr, { timeout: 5_000 }).toMatch(/workers stay as they are.*answers\.ts:1/);
  expect(await c.call("answer")).toBe(2);
});

test("--no-arbitrary bans captured functions and leaves registered ones", async () => {
  const directory = temporaryDirectory();
  const module = join(directory, "answers.ts");
  writeFileSync(module, "export const answer = (): number => 42;");
  const node = await startNodeProcess(["--embedded", "--module", module, "--no-arbitrary"]);
  const c = clientOf(node);
  await expect(c.call(() => 1)).rejects.toMatchObject({ code: "KS_ARBITRARY_BANNED" });
  expect(await c.call("answer")).toBe(42);
});

const FLAGS = [
  [
    "--datadir",
    "--num-workers",
    "--node-url",
    "--node-port",
    "--node-name",
    "--host",
    "--queue",
    "--module",
    "--reload",
  ],
  [
    "--read-only",
    "--redis-connection",
    "--no-redis",
    "--embedded",
    "--no-arbitrary",
    "--token-file",
    "--log-level",
  ],
].flat();

test("--help explains every flag", async () => {
  const { code, stdout } = await runCommand(["start", "--help"]);
  expect(code).toBe(0);
  for (const flag of FLAGS) expect(stdout).toMatch(new RegExp(`${flag}[ <a-z>]* {2,}\\w`));
  const main = await runCommand(["--help"]);
  expect(main.stdout).toContain("start [options]");
});

test.each([
  ["an unknown flag", ["start", "--num-wokers", "2"], /unknown option '--num-wokers'/],
  [
    "a bad number",
    ["start", "--num-workers", "two"],
    /--num-workers: "two" \(expected a whole number from 1/,
  ],
  [
    "a bad address",
    ["start", "--node-url", "nonsense"],
    /--node-url: "nonsense" \(expected an address such as/,
  ],
  ["a bad Redis address", ["start", "--redis-connection", "ftp://x"], /tcp:\/\/host:port\?db=9/],
  [
    "a module that is not there",
    ["start", "--embedded", "--module", "./nowhere.ts"],
    /Cannot load the module \.\/nowhere\.ts: there is no file/,
  ],
  [
    "a queue of one node",
    ["start", "--embedded", "--queue", "default|node3"],
    /--queue: "default\|node3" \(expected 1 to 64 letters/,
  ],
  ["an unknown command", ["begin"], /unknown command 'begin'/],
])("%s gives one clear line and exit code 2", async (_what, args, message) => {
  const directory = temporaryDirectory();
  const { code, stderr, stdout } = await runCommand([
    ...args,
    ...(args[0] === "start" ? ["--datadir", directory] : []),
  ]);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(message);
  // The error, what was probably meant, where the help is.
  expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(3);
});

test("an occupied port gives one clear line", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const { code, stderr } = await failing(["--embedded", "--node-port", String(port)]);
  expect(code).not.toBe(0);
  expect(stderr).toBe(
    `kitchensink: Cannot listen on 127.0.0.1:${port}: another program listens there (stop it, or choose another port with --node-port)\n`,
  );
});

test("a data directory that cannot be written gives one clear line", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "file"), "");
  const { code, stderr } = await runCommand([
    "start",
    "--embedded",
    "--datadir",
    join(directory, "file", "data"),
  ]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(
    /^kitchensink: Cannot keep data in .*file\/data: .*\(choose another with --datadir\)\n$/,
  );
});

test.runIf(process.platform === "linux")(
  "a data directory that can never be made is an error, not a wait",
  async () => {
    const { code, stderr } = await runCommand(["start", "--embedded", "--datadir", "/proc/kitchensink/data"]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /^kitchensink: Cannot keep data in \/proc\/kitchensink\/data: ENOENT.*--datadir\)\n$/,
    );
  },
);

test("a module that does not compile gives one line with the file and the line", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "broken.ts"), "export const a = 1;\nexport const b = ;\n");
  const { code, stderr } = await failing(["--embedded", "--module", join(directory, "broken.ts")]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(
    /^kitchensink: Cannot start workers: Cannot load the module .*broken\.ts: .*broken\.ts:2.*\n$/,
  );
});

test("a Redis that does not answer gives one line that names it", async () => {
  const port = await freePort();
  const { code, stderr } = await failing(["--redis-connection", `tcp://localhost:${port}?db=9`]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(
    new RegExp(`^kitchensink: No Redis answers at tcp://localhost:${port}\\?db=9 .*\\n$`),
  );
});

test("a failed start leaves no process, and in the data directory nothing that keeps others from it", async () => {
  const directory = temporaryDirectory();
  const data = join(directory, "data");
  mkdirSync(data);
  const { code } = await runCommand([
    "start",
    "--embedded",
    "--datadir",
    data,
    "--host",
    "203.0.113.1",
    "--token-file",
    join(directory, "token"),
  ]);
  expect(code).not.toBe(0);
  expect(readdirSync(data)).toEqual([".kitchensink"]);
  const other = await startNodeProcess(["--embedded", "--datadir", data, "--cluster", "other"]);
  expect(other.stdout).toContain(data);
});

test("a client says what is wrong when there is no node, or when its token is wrong", async () => {
  const port = await freePort();
  const nowhere = new Client(`http://localhost:${port}/`);
  onTestFinished(() => nowhere.close());
  await expect(nowhere.call(() => 1)).rejects.toMatchObject({
    code: "KS_UNAVAILABLE",
    message: `Cannot reach a node at http://localhost:${port}/: nothing listens there (start one with: npx kitchensink start)`,
  });
  const node = await startNodeProcess();
  const stranger = new Client(node.url, { token: "wrong" });
  onTestFinished(() => stranger.close());
  await expect(stranger.call(() => 1)).rejects.toMatchObject({
    code: "KS_UNAUTHORIZED",
    message: expect.stringContaining("KITCHENSINK_TOKEN"),
  });
  await expect(stranger.with({ async: false }).call(() => 1)).rejects.toMatchObject({
    code: "KS_UNAUTHORIZED",
  });
});

/** Starts a node that should not start, on a free port with a data directory and a token of its own. */
async function failing(flags: readonly string[]): ReturnType<typeof runCommand> {
  const directory = temporaryDirectory();
  const port = flags.includes("--node-port") ? [] : ["--node-port", "0"];
  return await runCommand([
    "start",
    "--datadir",
    join(directory, "data"),
    "--token-file",
    join(directory, "token"),
    ...port,
    ...flags,
  ]);
}
