/** `kitchensink doctor` on clusters that have real troubles. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import { Redis } from "ioredis";
import { RemoteData } from "kitchensink";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Finding } from "../../src/cli/doctor/finding.ts";
import { render } from "../../src/cli/doctor/render.ts";
import { checkStore } from "../../src/cli/doctor/store-checks.ts";
import type { Paint } from "../../src/cli/style.ts";
import type { ServerDiagnosis } from "../../src/store/inspection.ts";
import { runCommand, startNodeProcess, type CommandResult } from "../support/cli.ts";
import { startBehindProxy } from "../support/behind-proxy.ts";
import { canMount, fillDisk, mountDisk } from "../support/disk.ts";
import { nodeProcesses, type NodeInProcess, type NodeProcesses } from "../support/node-processes.ts";
import { useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { startRedis, type TestRedis } from "../store/support/redis.ts";

async function ownRedis(args: readonly string[] = [], directory = temporaryDirectory()): Promise<TestRedis> {
  const redis = await startRedis({ directory, args });
  onTestFinished(() => redis.stop());
  return redis;
}

async function doctor(
  { url }: Pick<NodeInProcess, "url">,
  { token }: Pick<NodeProcesses, "token">,
  ...flags: readonly string[]
): Promise<CommandResult> {
  return await runCommand(["doctor", "--url", url, ...flags], { KITCHENSINK_TOKEN: token });
}

const findingsIn = ({ stdout }: CommandResult): Finding[] =>
  stdout
    .trim()
    .split("\n")
    .map((row) => JSON.parse(row) as Finding);

const amiss = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ level }) => level !== "ok")
    .map(({ about, check, level }) => `${about} ${check} ${level}`);

const find = (findings: readonly Finding[], check: string): Finding => {
  const found = findings.find((finding) => finding.check === check);
  if (found === undefined) throw new Error(`nothing was said of ${check}`);
  return found;
};

test("a cluster that is well: each check is told, for people and for programs, and the exit code is 0", async () => {
  const redis = await ownRedis();
  const place = nodeProcesses(redis.address);
  const [one] = await Promise.all([place.start("node1"), place.start("node2")]);
  const client = place.connect(one);
  await new RemoteData({ obj: 1, client }).save({ url: "one" });
  const said = await doctor(one, place);
  expect({ code: said.code, stderr: said.stderr }).toEqual({ code: 0, stderr: "" });
  expect(said.stdout).toMatch(/^2 nodes, (Redis|Valkey) [\d.]+ at tcp:/);
  expect(said.stdout).toMatch(
    /\n\nnode1\n  ok       it runs .*\n  ok       1 worker, for the queue default\n/,
  );
  expect(said.stdout).toContain("All is well.");
  const { stdout, code } = await doctor(one, place, "--json");
  expect(code).toBe(0);
  const findings = findingsIn({ stdout, code, stderr: "" });
  expect(amiss(findings)).toEqual([]);
  expect(new Set(findings.map(({ about }) => about))).toEqual(
    new Set(["store", "node1", "node2", "data", "jobs", "this machine"]),
  );
  expect(find(findings, "persistence").message).toContain("append-only file");
  expect(find(findings, "orphans").message).toContain("1 url, each with a node that is there");
});

describe("a Redis", () => {
  test("that keeps nothing on disk is a warning, and the exit code stays 0", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const place = nodeProcesses(redis.address);
    const result = await doctor(await place.start("node1"), place, "--json");
    expect(result.code).toBe(0);
    expect(amiss(findingsIn(result))).toEqual(["store persistence warning"]);
    expect(find(findingsIn(result), "persistence")).toMatchObject({
      message: expect.stringContaining("keeps nothing on disk"),
      advice: expect.stringContaining("appendonly yes"),
    });
  });

  test("that makes snapshots alone, evicts, is nearly full and cannot write is told so, each with the way out", async () => {
    const directory = temporaryDirectory();
    const redis = await ownRedis(["--dbfilename", "taken.rdb"], directory);
    const place = nodeProcesses(redis.address);
    const node = await place.start("node1");
    const raw = new Redis({ port: redis.port, db: 9 });
    onTestFinished(() => raw.disconnect());
    await raw.config("SET", "maxmemory-policy", "allkeys-lru");
    await raw.config("SET", "appendonly", "no");
    await raw.config("SET", "save", "3600 1");
    const used = Number(/used_memory:(\d+)/.exec(await raw.info("memory"))?.[1]);
    await raw.config("SET", "maxmemory", String(Math.round(used / 0.8)));
    const first = findingsIn(await doctor(node, place, "--json"));
    expect(amiss(first)).toEqual([
      "store persistence warning",
      "store eviction problem",
      "store memory warning",
    ]);
    expect(find(first, "persistence").message).toContain("save 3600 1");
    expect(find(first, "eviction").message).toContain("allkeys-lru");
    await raw.config("SET", "maxmemory", "0");
    await raw.config("SET", "maxmemory-policy", "noeviction");
    // A folder stands where its snapshot is to be.
    mkdirSync(join(directory, "taken.rdb"));
    await raw.bgsave();
    await vi.waitFor(
      async () => expect(await raw.info("persistence")).toContain("rdb_last_bgsave_status:err"),
      10_000,
    );
    // Otherwise it would take no writes at all by now.
    await raw.config("SET", "stop-writes-on-bgsave-error", "no");
    const result = await doctor(node, place, "--json");
    expect(result.code).toBe(1);
    expect(amiss(findingsIn(result))).toEqual(["store writes problem", "store persistence warning"]);
  });

  test("that forbids CONFIG is examined all the same", async () => {
    const redis = await ownRedis(["--rename-command", "CONFIG", ""]);
    const place = nodeProcesses(redis.address);
    const result = await doctor(await place.start("node1"), place, "--json");
    expect(amiss(findingsIn(result))).toEqual([]);
    expect(find(findingsIn(result), "persistence").message).toContain("append-only file");
  });
});

test("the embedded store says what applies", async () => {
  const node = await startNodeProcess(["--embedded"]);
  const result = await doctor(node, node, "--json");
  expect(result.code).toBe(0);
  expect(find(findingsIn(result), "persistence").message).toContain("end with it");
  expect(amiss(findingsIn(result))).toEqual([]);
});

describe("nodes and their data", () => {
  const redis = useStore("redis");
  let clusters = 0;
  const cluster = (): string[] => ["--cluster", `doctor-${++clusters}`];
  const place = (): NodeProcesses => nodeProcesses(redis().redisConnection ?? "");
  /** This Redis keeps nothing on disk. */
  const besidesStore = (findings: readonly Finding[]): string[] =>
    amiss(findings).filter((line) => !line.startsWith("store"));

  const SHIFT = `data:text/javascript,${encodeURIComponent(`
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...args) { args.length === 0 ? super(RealDate.now() + 3600000) : super(...args); }
      static now() { return RealDate.now() + 3600000; }
    };
  `)}`;

  test("a clock that is an hour ahead is told, and is no problem", async () => {
    const nodes = place();
    const flags = cluster();
    const one = await nodes.start("node1", flags);
    await nodes.start("node2", flags, { env: { NODE_OPTIONS: `--import ${SHIFT}` } });
    const result = await doctor(one, nodes, "--json");
    expect(result.code).toBe(0);
    const findings = findingsIn(result);
    expect(besidesStore(findings)).toEqual(["node2 clock warning"]);
    const late = findings.find(({ about, check }) => about === "node2" && check === "clock");
    expect(late?.message).toMatch(/(1 hour|60 minutes) ahead of/);
    expect(late?.advice).toContain("nothing depends on it");
  });

  test("a node that holds its place and does not answer is a problem", async () => {
    const nodes = place();
    const flags = cluster();
    const [one, two] = [await nodes.start("node1", flags), await startBehindProxy(nodes, "node2", flags)];
    two.proxy.swallow();
    const result = await doctor(one, nodes, "--json");
    expect(result.code).toBe(1);
    expect(besidesStore(findingsIn(result))).toEqual(["node2 answers problem"]);
    expect(find(findingsIn(result), "answers").message).toContain("said nothing for 5000 ms");
  });

  test("workers that fail at their start are a problem", async () => {
    const nodes = place();
    const folder = temporaryDirectory();
    const module = join(folder, "answers.mjs");
    writeFileSync(module, "export const answer = () => 42;");
    const one = await nodes.start("node1", [...cluster(), "--module", module]);
    writeFileSync(module, "throw new Error('not any more');");
    await expect(nodes.connect(one).call(() => process.exit(1))).rejects.toMatchObject({
      code: "KS_WORKER_LOST",
    });
    await vi.waitFor(
      async () => {
        const result = await doctor(one, nodes, "--json");
        expect(besidesStore(findingsIn(result))).toContain("node1 workers problem");
      },
      { timeout: 15_000 },
    );
  });

  test("files that are nobody's, files that are gone, and damaged ones are told with their names and sizes", async () => {
    const nodes = place();
    const one = await nodes.start("node1", cluster());
    const client = nodes.connect(one);
    for (const url of ["kept/a", "gone/b", "damaged/c"])
      await new RemoteData({ obj: url, client }).save({ url });
    const file = (name: string): string => join(nodes.directory("node1"), name);
    mkdirSync(file("strange"));
    writeFileSync(file("strange/one.csv"), "1,2");
    writeFileSync(file("strange/two.csv"), "3,4");
    writeFileSync(file(".kitchensink/incoming/left.part"), "half");
    rmSync(file("gone/b"));
    chmodSync(file("damaged/c"), 0o600);
    writeFileSync(file("damaged/c"), "something else");
    await expect(new RemoteData({ dataUrl: "damaged/c", client }).raw()).rejects.toMatchObject({
      code: "KS_DATA_LOST",
    });
    const result = await doctor(one, nodes, "--json");
    const findings = findingsIn(result);
    expect(besidesStore(findings)).toEqual([
      "node1 missing problem",
      "node1 strangers warning",
      "node1 quarantine warning",
      "node1 leftovers warning",
    ]);
    expect(result.code).toBe(1);
    expect(find(findings, "missing").message).toContain("1 replica without a file: gone/b");
    expect(find(findings, "strangers").message).toMatch(
      /2 files \(6 B\).*strange\/one\.csv, strange\/two\.csv/,
    );
    expect(find(findings, "strangers").advice).toContain("data adopt");
    expect(find(findings, "quarantine").message).toMatch(/1 file \(14 B\) put aside.*quarantine\/damaged\/c/);
  });

  test.skipIf(!canMount)("a full disk is a problem (skipped where no disk can be mounted)", async () => {
    const nodes = place();
    const disk = mountDisk(128);
    const one = await nodes.start("node1", [...cluster(), "--datadir", disk]);
    fillDisk(join(disk, ".other"), 1_000_000);
    const result = await doctor(one, nodes, "--json");
    expect(besidesStore(findingsIn(result))).toEqual(["node1 disk problem"]);
    expect(find(findingsIn(result), "disk").message).toMatch(/takes no data: [\d.]+ [kM]B free .* 67 MB/);
    expect(result.code).toBe(1);
  });

  test("data whose nodes are away, and jobs that nobody takes, are problems", async () => {
    const nodes = place();
    const flags = cluster();
    const [one, two] = [await nodes.start("node1", flags), await nodes.start("node2", flags)];
    const client = nodes.connect(one);
    const far = await new RemoteData({ obj: [1, 2, 3], client }).save({ url: "far/away", node: "node2" });
    // A result that is too large for the store lies there too, and goes with its job.
    expect((await client.with({ node: "node2" }).call(() => Buffer.alloc(3_000_000))).length).toBe(3_000_000);
    await far.info();
    two.command.kill("SIGTERM");
    await two.command.exited;
    const jobs = [
      client.with({ queue: "gpu" }).call(() => 1),
      client.with({ queue: "gpu" }).call(() => 2),
      client.with({ node: "node2" }).call(() => 3),
      client.with({ node: "node1", queue: "other" }).call(() => 4),
    ];
    await Promise.all(jobs.map((job) => job.status()));
    for (const job of jobs) job.catch(() => {});
    const result = await doctor(one, nodes, "--json");
    expect(result.code).toBe(1);
    const findings = findingsIn(result);
    expect(besidesStore(findings).toSorted()).toEqual([
      "data orphans problem",
      "jobs queues problem",
      "jobs queues problem",
      "jobs queues problem",
    ]);
    expect(find(findings, "orphans")).toMatchObject({
      message: expect.stringMatching(/^1 url \(.* B\): replicas only on nodes that are away: far\/away/),
      advice: expect.stringContaining("node2"),
    });
    const said = findings.filter(({ about }) => about === "jobs").map(({ message }) => message);
    expect(said.toSorted()).toEqual([
      "1 job waits for node1 alone, in the queue other, which it does not serve",
      "1 job waits for node2 alone, which is not there",
      "2 jobs wait in the queue gpu, which no node serves",
    ]);
    await client.cancelAll();
  });
});

const FINDINGS: readonly Finding[] = [
  { about: "store", check: "a", level: "ok", message: "well" },
  { about: "store", check: "b", level: "warning", message: "hm", advice: "look" },
  { about: "node1", check: "c", level: "problem", message: "oh" },
];

test("of several servers each is told of by its address", () => {
  const server: ServerDiagnosis = {
    address: "redis1:6379",
    product: "Redis 7.0.15",
    isSupported: true,
    isAppendOnly: true,
    appendFsync: "everysec",
    save: "",
    failedWrites: [],
    evictionPolicy: "noeviction",
    maxMemoryBytes: 0,
    usedMemoryBytes: 1,
    replicas: 1,
  };
  const evicting = { ...server, address: "redis2:6379", evictionPolicy: "allkeys-lru" };
  const store = { kind: "cluster", description: "Redis", nowMs: 0 } as const;
  const problems = (servers: readonly ServerDiagnosis[]): string[] =>
    checkStore({ ...store, servers }).flatMap(({ about, level }) => (level === "ok" ? [] : [about]));
  expect(problems([server, evicting])).toEqual(["store at redis2:6379"]);
  expect(problems([evicting])).toEqual(["store"]);
});

test("colours are for terminals that want them", () => {
  const escape = "\u001b[";
  const paint: Paint = (style, text) => styleText(style, text, { validateStream: false });
  expect(render(FINDINGS, paint)).toContain(`${escape}31mproblem${escape}39m  oh`);
  expect(render(FINDINGS, (_, text) => text)).toBe(
    "store\n  ok       well\n  warning  hm\n           → look\n\nnode1\n  problem  oh\n\n1 problem, 1 warning.\n",
  );
});

test("wrong arguments are exit code 2, and a node that does not answer exit code 6 with one clear line", async () => {
  expect((await runCommand(["doctor", "--nonsense"])).code).toBe(2);
  expect((await runCommand(["doctor", "--url", "nonsense"])).code).toBe(2);
  const { code, stderr } = await runCommand(["doctor", "--url", "http://127.0.0.1:1/"]);
  expect(code).toBe(6);
  expect(stderr).toMatch(/^kitchensink: Cannot reach a node at http:\/\/127\.0\.0\.1:1\//);
});
