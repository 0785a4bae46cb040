import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../../support/temporary.ts";

const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

/** Of util-linux: runs a command on a terminal of its own. */
const TERMINAL = "script";

/** Whether `isTerminal` can be had here. */
export function hasTerminal(): boolean {
  return spawnSync(TERMINAL, ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
}

export interface At {
  readonly url: string;
  readonly token: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DataCommand {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly ended: Promise<Ended>;
}

interface Setting {
  /** The working directory. Default: a fresh one. */
  readonly folder?: string;
  /** Default: nothing. `null`: the test writes it. */
  readonly stdin?: string | null;
  readonly env?: NodeJS.ProcessEnv;
  /** On a terminal of its own, where stdout and stderr are one. */
  readonly isTerminal?: boolean;
}

/** Runs `kitchensink data …` to its end, against a node. */
export async function data(at: At, args: readonly string[], setting: Setting = {}): Promise<Ended> {
  return await startData(at, args, setting).ended;
}

/** What was printed with `--json`. */
export function rowsIn({ stdout }: Ended): Record<string, unknown>[] {
  const lines = stdout.split("\n");
  if (lines.pop() !== "") throw new Error("the last line has no end");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Starts `kitchensink data …` against a node; ends it with the test. */
export function startData({ url, token }: At, args: readonly string[], setting: Setting = {}): DataCommand {
  const { folder = temporaryDirectory(), stdin, env, isTerminal = false } = setting;
  const command = [process.execPath, MAIN, "data", ...args];
  const [program = "", ...rest] = isTerminal
    ? [TERMINAL, "-qec", command.map(quoted).join(" "), "/dev/null"]
    : command;
  const child = spawn(program, rest, {
    cwd: folder,
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      KITCHENSINK_URL: url,
      KITCHENSINK_TOKEN: token,
      TERM: "xterm",
      SHELL: "/bin/sh",
      ...env,
    },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  if (stdin != null) child.stdin?.end(stdin);
  const ended = once(child, "close").then(([code]: unknown[]) => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  return { child, stdout: () => stdout, ended };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export interface Stalling extends At {
  /** Resolves when something waits. */
  readonly stalled: Promise<void>;
  /** Lets the rest through. */
  release(): void;
}

interface Limits {
  /** So many bytes get through in each direction of a connection. */
  readonly bytes?: number;
  /** So many answers get through. */
  readonly answers?: number;
}

/** Another address of a node, at which nothing gets through any more once a limit is reached. */
export async function stallingAt(
  { url, token }: At,
  { bytes: mostBytes = Infinity, answers: mostAnswers = Infinity }: Limits,
): Promise<Stalling> {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let stall = (): void => {};
  const stalled = new Promise<void>((resolve) => {
    stall = resolve;
  });
  let isReleased = false;
  let answers = 0;
  const forward = (from: Socket, to: Socket): void => {
    let bytes = 0;
    sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (chunk.subarray(0, 9).toString("latin1") === "HTTP/1.1 ") answers += 1;
      if (isReleased || (bytes <= mostBytes && answers <= mostAnswers)) return void to.write(chunk);
      from.pause();
      waiting.push(() => {
        to.write(chunk);
        from.resume();
      });
      stall();
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  };
  const server = createServer((near) => {
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    forward(near, far);
    forward(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const release = (): void => {
    isReleased = true;
    for (const go of waiting) go();
  };
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, token, stalled, release };
}
