/** Where tokens, passwords and secrets of the environment must not turn up. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { Client, RemoteData } from "kitchensink";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freePort, startRedis } from "../store/support/redis.ts";
import { runCommand, startNodeProcess, type NodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { send } from "./support/attacker.ts";

const TOKEN = "token-of-this-test-0123456789";
const PASSWORD = "password-of-this-test";
const OTHER = "secret-of-the-environment";
const SECRETS = [TOKEN, PASSWORD, OTHER];
const ENVIRONMENT = {
  KITCHENSINK_TOKEN: TOKEN,
  AWS_SECRET_ACCESS_KEY: OTHER,
  NODE_OPTIONS: "--no-warnings",
  SOME_TOKEN: OTHER,
  LET_THROUGH: "let through",
};
/** What workers and the programs beside them may have of the environment, `--env` aside. */
const ALLOWED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|NODE_ENV|NODE_PATH|NODE_EXTRA_CA_CERTS|NO_COLOR|LD_LIBRARY_PATH|PWD|SHLVL|_)$/;

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** All that descend from a process, workers and what it started beside them. */
function descendants(pid: number): Process[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="]).toString().trim().split("\n");
  const all = lines.map((line) => {
    const [own = "", parent = "", ...command] = line.trim().split(/\s+/);
    return { pid: Number(own), parent: Number(parent), command: command.join(" ") };
  });
  const found: Process[] = [];
  for (const parents = [pid]; parents.length > 0;) {
    const parent = parents.pop();
    for (const child of all.filter((one) => one.parent === parent && !one.command.startsWith("ps -A"))) {
      found.push(child);
      parents.push(child.pid);
    }
  }
  return found;
}

const readProc = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, "latin1");
const environmentOf = (pid: number): string[] =>
  readProc(pid, "environ")
    .split("\0")
    .filter((entry) => entry !== "");
const kindOf = ({ command }: Process): string =>
  /entry\.js/.test(command)
    ? "worker"
    : /redis|valkey/.test(command)
      ? "redis"
      : command.startsWith("/bin/sh")
        ? "guard"
        : command;

function expectNoSecret(text: string, what: string): void {
  for (const secret of SECRETS) expect(text.includes(secret), `${secret} in ${what}`).toBe(false);
}

async function startWithRedis(): Promise<{ node: NodeProcess; stopRedis: () => Promise<void> }> {
  const redis = await startRedis({ args: ["--requirepass", PASSWORD] });
  onTestFinished(() => redis.stop());
  const tokenFile = join(temporaryDirectory(), "token");
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  const node = await startNodeProcess(
    ["--no-redis", "--log-level", "debug", "--env", "LET_THROUGH", "--token-file", tokenFile],
    { ...ENVIRONMENT, KITCHENSINK_REDIS: `redis://default:${PASSWORD}@127.0.0.1:${redis.port}/9` },
  );
  return { node, stopRedis: () => redis.stop() };
}

test(
  "attack 6: nothing that a node prints, logs or answers has a secret, when all goes well and when all fails",
  {
    timeout: 60_000,
  },
  async () => {
    const { node, stopRedis } = await startWithRedis();
    const client = new Client(node.url, { token: TOKEN, output: "off" });
    const told: string[] = [];
    const tell = async (what: PromiseLike<unknown>): Promise<void> => {
      const outcome = await what.then(
        (value) => value,
        (error: unknown) => error,
      );
      told.push(inspect(outcome, { depth: 12, showHidden: true, getters: false }));
    };
    await tell(client.call(() => 1));
    await tell(client.call(() => Promise.reject(new Error("thrown"))));
    await tell(client.call(() => process.exit(3)));
    await tell(client.call("nothing"));
    await tell(client.nodes());
    await tell(client.with({ async: false }).call(() => 2));
    await tell(new RemoteData({ dataUrl: "nothing", client }).obj());
    await tell(
      client.call(
        async (data: RemoteData<number>) => await data.obj(),
        new RemoteData<number>({ dataUrl: "no", client }),
      ),
    );
    const wrong = new Client(node.url, { token: `${PASSWORD}-wrong`, output: "off" });
    const refused = await wrong.call(() => 1).catch((error: unknown) => error);
    // Its own token was wrong, and still is nobody's business.
    expect(inspect(refused, { depth: 12, showHidden: true })).not.toContain(PASSWORD);
    for (const path of [`/v1/nodes?token=${OTHER}`, "/v1/nodes", "/nothing"])
      told.push(
        inspect(await send(node.url, { path, headers: { authorization: "Bearer wrong" } })).replaceAll(
          OTHER,
          "",
        ),
      );
    told.push(inspect(client, { depth: 12, showHidden: true }), JSON.stringify(await client.nodes()));
    await stopRedis();
    await tell(client.call(() => 3));
    await tell(client.nodes());
    await vi.waitFor(() => expect(node.stderr.length).toBeGreaterThan(100), { timeout: 10_000 });
    await Promise.all([client.close(), wrong.close()]);
    node.kill("SIGTERM");
    await node.exited;
    told.forEach((text, at) => expectNoSecret(text, `answer ${at}: ${text.slice(0, 2_000)}`));
    expectNoSecret(node.stdout, "stdout");
    expectNoSecret(node.stderr, `stderr: ${node.stderr.slice(-3_000)}`);
    expect(node.stderr).not.toMatch(/bearer|authorization/i);
  },
);

describe("the processes of a node", () => {
  test("attack 6: no command line has a secret, and no worker or shell has more of the environment than is on the list", async () => {
    const { node } = await startWithRedis();
    const client = new Client(node.url, { token: TOKEN, output: "off" });
    await Promise.all([client.call(() => 1), client.with({ async: false }).call(() => 1)]);
    const processes = descendants(node.child.pid!);
    expect(new Set(processes.map(kindOf))).toEqual(new Set(["worker", "guard"]));
    for (const { pid, command } of [...processes, { pid: node.child.pid!, command: "node" }])
      expectNoSecret(readProc(pid, "cmdline"), command);
    for (const one of processes) {
      const names = environmentOf(one.pid).map((entry) => entry.split("=")[0]!);
      expectNoSecret(environmentOf(one.pid).join("\n"), one.command);
      const more = names.filter((name) => !ALLOWED.test(name));
      expect(more, one.command).toEqual(kindOf(one) === "worker" ? ["LET_THROUGH"] : []);
    }
    await client.close();
  });

  test("attack 6: nor have those that start while the node still loads, nor a Redis that it starts itself", async () => {
    const port = await freePort();
    const token = join(temporaryDirectory(), "token");
    const node = await startNodeProcess(["--token-file", token, "--num-workers", "2"], {
      ...ENVIRONMENT,
      KITCHENSINK_REDIS: `tcp://127.0.0.1:${port}?db=9`,
    });
    // The early ones have become the node's workers.
    const processes = descendants(node.child.pid!);
    expect(new Set(processes.map(kindOf))).toEqual(new Set(["worker", "guard", "redis"]));
    for (const { pid, command } of processes) {
      expectNoSecret(readProc(pid, "cmdline"), command);
      const more = environmentOf(pid).filter((entry) => !ALLOWED.test(entry.split("=")[0]!));
      expect(more, command).toEqual([]);
    }
    expect(statSync(token).mode & 0o777).toBe(0o600);
  });

  test("attack 6: a job sees neither the token nor a secret, where code looks for such things, and in a report of its process", async () => {
    const { node } = await startWithRedis();
    const client = new Client(node.url, { token: TOKEN, output: "off" });
    const seen = await client.call(() => ({
      environment: { ...process.env },
      argv: [process.argv, process.execArgv, process.title],
      report: JSON.stringify(process.report.getReport()),
      globals: Object.getOwnPropertyNames(globalThis),
    }));
    expect(seen.environment["LET_THROUGH"]).toBe("let through");
    expect(seen.environment["NODE_OPTIONS"]).toBeUndefined();
    expect(Object.keys(seen.environment).filter((name) => /KITCHENSINK|TOKEN|SECRET/.test(name))).toEqual([]);
    expectNoSecret(JSON.stringify(seen), "what a job sees");
    await client.close();
  });
});

test.each([
  ["a password", (port: number) => `redis://:${PASSWORD}@127.0.0.1:${port}/9`],
  ["a password and a user", (port: number) => `redis://me:${PASSWORD}@127.0.0.1:${port}/9`],
  ["a password as an option", (port: number) => `tcp://127.0.0.1:${port}?db=9&password=${PASSWORD}`],
  [
    "a sentinel's password",
    (port: number) => `redis+sentinel://127.0.0.1:${port}/m?sentinel-password=${PASSWORD}`,
  ],
  ["a cluster's password", (port: number) => `redis+cluster://:${PASSWORD}@127.0.0.1:${port}`],
  ["a password in what is no address", () => `redis//:${PASSWORD}@nowhere`],
  ["a password in an unknown scheme", () => `http://:${PASSWORD}@nowhere`],
  ["a password with a sign that must be escaped", () => `redis://:${PASSWORD}#@nowhere`],
  ["a password in an unknown option", () => `redis://nowhere?pass=${PASSWORD}`],
])("attack 6: a node that cannot start does not repeat %s of its Redis", async (_, address) => {
  const port = await freePort();
  const redis = await startRedis({ args: ["--requirepass", "another"] });
  onTestFinished(() => redis.stop());
  for (const at of [port, redis.port]) {
    const flags = [
      "start",
      "--no-redis",
      "--log-level",
      "debug",
      "--node-port",
      "0",
      "--datadir",
      temporaryDirectory(),
    ];
    const { code, stdout, stderr } = await runCommand(flags, {
      ...ENVIRONMENT,
      KITCHENSINK_REDIS: address(at),
    });
    expect(code).toBeGreaterThan(0);
    expectNoSecret(stdout + stderr, stdout + stderr);
  }
});
