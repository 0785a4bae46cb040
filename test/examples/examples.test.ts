/** Every example, run as its comment says, against a real node. */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../store/support/redis.ts";
import { startNodeProcess, type NodeProcess } from "../support/cli.ts";
import { nodeProcesses } from "../support/node-processes.ts";
import { useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FUNCTIONS = join(ROOT, "examples/03-registered-functions/functions.ts");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Reached = Pick<NodeProcess, "url" | "token">;

async function run(node: Reached, command: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], KITCHENSINK_URL: node.url, KITCHENSINK_TOKEN: node.token },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

function runExample(node: Reached, name: string): Promise<Ended> {
  return run(node, process.execPath, "--import", "kitchensink/register", `examples/${name}/main.ts`);
}

test("01-hello prints the dot product", async () => {
  const node = await startNodeProcess();
  expect(await runExample(node, "01-hello")).toEqual({ code: 0, stdout: "55\n", stderr: "" });
});

test("02-output-and-errors shows what the functions printed and threw", async () => {
  const node = await startNodeProcess();
  const { code, stdout, stderr } = await runExample(node, "02-output-and-errors");
  expect(code).toBe(0);
  expect(stderr).toBe("to stderr, from console.error\nto stderr, from the child\n");
  const [printed = "", stack = ""] = stdout.split("Its cause is a RangeError: true\n");
  expect(printed.split("\n")).toEqual([
    "one, from console.log",
    "two, from process.stdout.write",
    "three, from a child process",
    "\rfour, a progress bar: 0 %\rfour, a progress bar: 50 %\rfour, a progress bar: 100 %",
    "done",
    'A TypeError arrived: "twelve" is no age',
    "",
  ]);
  // From the function on to the line that awaits it, and nothing of Kitchen Sink's own in between.
  expect(stack.trimEnd().split("\n")).toEqual([
    'TypeError: "twelve" is no age',
    expect.stringMatching(/^ +at parseAge .*examples\/02-output-and-errors\/main\.ts:31:\d+\)$/),
    expect.stringMatching(/^ +at parseAge \(job [0-9a-f-]{36}\)$/),
    expect.stringMatching(/^ +at async .*examples\/02-output-and-errors\/main\.ts:37:\d+\)?$/),
  ]);
});

test("03-registered-functions calls by name, and lists them", async () => {
  const node = await startNodeProcess(["--embedded", "--module", FUNCTIONS]);
  const { code, stdout, stderr } = await runExample(node, "03-registered-functions");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.trimEnd().split("\n")).toEqual([
    "3",
    "Hello, Ada! Hello, Ada!",
    "7",
    expect.stringMatching(/^add\(a.*, b.*\): Adds two numbers\.$/),
    expect.stringMatching(/^greet\(name.*, times = 1\): Greets somebody, once or several times\.$/),
  ]);
});

test("03-registered-functions calls by curl", async () => {
  const node = await startNodeProcess(["--embedded", "--module", FUNCTIONS]);
  const ended = await run(node, "sh", "examples/03-registered-functions/curl.sh");
  expect(ended).toEqual({ code: 0, stdout: "3\n", stderr: "" });
});

test("04-instant-calls prints results, output and an error", async () => {
  const node = await startNodeProcess();
  expect(await runExample(node, "04-instant-calls")).toEqual({
    code: 0,
    stdout: "42\nhello from the worker, Ada\ntoo far\nqueued instant\n",
    stderr: "",
  });
});

test("05-closures brings along classes, variables, modules and packages", async () => {
  const node = await startNodeProcess();
  expect(await runExample(node, "05-closures")).toEqual({
    code: 0,
    stdout: `a square of 4.00, a Shape: true, a Square: true
counted to 3 there; here it is still 0
measured 2 shapes there, 1 here
48 hours are 2 days
TooSmall: a circle of 0.03 is too small
the first squares have 385 together
`,
    stderr: "",
  });
});

test("06-remote-data adds two tables where they lie, and brings the head of a large dataset", async () => {
  const node = await startNodeProcess();
  const { code, stdout, stderr } = await runExample(node, "06-remote-data");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(`stays there: data/…
comes here: { price: [ 15, 25, 35 ], tax: [ 1.5, 2.5, 3.5 ] }
[ { id: 0, squared: 0 }, { id: 1, squared: 1 }, { id: 2, squared: 4 } ]
100000 even rows
[ 'mylarge/dataset' ]
`);
});

test("07-files-and-duckdb queries a Parquet file where it lies", async () => {
  const node = await startNodeProcess();
  const { code, stdout, stderr } = await runExample(node, "07-files-and-duckdb");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(`a file on 1 node
[
  { zone: '0', trips: 100000, fare: 24.5 },
  { zone: '1', trips: 100000, fare: 24.5 },
  { zone: '2', trips: 100000, fare: 24.5 }
]
`);
});

test("09-futures works on results where they are, and shows how far it is", async () => {
  const node = await startNodeProcess();
  const { code, stdout, stderr } = await runExample(node, "09-futures");
  expect(code).toBe(0);
  const [first, second, ...rest] = stdout.split("\n");
  expect([first, second].toSorted()).toEqual(["counted", "paired"]);
  expect(rest.join("\n")).toBe("{ count: 25997, pairs: 2994, share: '11.5 %' }\n168 168 1\n998001\n");
  expect(stderr).toMatch(/^squares {2}\[=+\] {2}100% {2}1,000 of 1,000 {2}in 0:\d\d\n$/);
});

describe("08-three-nodes", () => {
  const redis = useStore("redis");

  test("sends calls to the data, to a node by name, and to whoever is free", async () => {
    const place = nodeProcesses(redis().redisConnection ?? "");
    const nodes = await Promise.all(["node1", "node2", "node3"].map((name) => place.start(name)));
    const { url } = nodes[0]!;
    const { code, stdout, stderr } = await runExample({ url, token: place.token }, "08-three-nodes");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`[ 'node1', 'node2', 'node3' ]
[ 'node2', 500000 ]
node2 lacked 0 B, and nobody less; it had a free worker first
[ 'node1', 'node2', 'node3' ]
node3
[ 'node1: present', 'node2: copied', 'node3: copied' ]
`);
  });

  test("its script starts three nodes, and ends them", async () => {
    const directory = temporaryDirectory();
    const port = await threeFreePorts();
    const script = spawn("sh", ["examples/08-three-nodes/cluster.sh", directory], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        HOME: directory,
        PORT: String(port),
        KITCHENSINK_REDIS: redis().redisConnection,
        KITCHENSINK_TOKEN: "a-token-for-this-test-alone-0123456789",
      },
    });
    const ended = once(script, "close");
    onTestFinished(async () => {
      script.kill("SIGTERM");
      await ended;
    });
    let said = "";
    script.stdout.setEncoding("utf8");
    for await (const text of script.stdout as AsyncIterable<string>) {
      said += text;
      if (said.match(/is ready/g)?.length === 3) break;
    }
    script.kill("SIGTERM");
    await ended;
    await expect(fetch(`http://localhost:${port}/health`)).rejects.toThrow("fetch failed");
  });
});

/** The first of three in a row, of those that the system gives to nobody who asks for any. */
async function threeFreePorts(): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 32_000);
    const ports = [first, first + 1, first + 2];
    const tried = await Promise.allSettled(ports.map((port) => freePort(port)));
    if (tried.every(({ status }) => status === "fulfilled")) return first;
  }
}

test("every example has its test", () => {
  const programs = readdirSync(join(ROOT, "examples")).filter((name) =>
    existsSync(join(ROOT, "examples", name, "main.ts")),
  );
  expect(programs).toEqual([
    "01-hello",
    "02-output-and-errors",
    "03-registered-functions",
    "04-instant-calls",
    "05-closures",
    "06-remote-data",
    "07-files-and-duckdb",
    "08-three-nodes",
    "09-futures",
  ]);
});
