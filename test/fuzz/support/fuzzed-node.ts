import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "kitchensink";

const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const FUNCTIONS = fileURLToPath(new URL("../../security/fixtures/functions.mjs", import.meta.url));
export const TOKEN = "token-of-the-fuzzer-0123456789";
const MOST_BYTES = 700 * 1024 * 1024;
export const SILENCE_MS = 10_000;

/** A node in a process of its own, as users start it. */
export class FuzzedNode {
  client!: Client;
  #child!: ChildProcess;
  #directory = "";
  #port = 0;
  #log = "";

  async start(): Promise<void> {
    this.#directory = mkdtempSync(join(tmpdir(), "kitchensink-fuzz-"));
    const flags = [
      "--embedded",
      "--node-port",
      "0",
      "--num-workers",
      "1",
      "--datadir",
      this.#directory,
      "--module",
      FUNCTIONS,
    ];
    this.#child = spawn(process.execPath, [MAIN, "start", ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: this.#directory, KITCHENSINK_TOKEN: TOKEN },
    });
    this.#child.stderr?.on(
      "data",
      (chunk: Buffer) => (this.#log = `${this.#log}${chunk.toString()}`.slice(-100_000)),
    );
    this.#port = await new Promise((resolve, reject) => {
      let said = "";
      this.#child.stdout?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("Ctrl-C")) resolve(Number(/url +http:\/\/[^:]+:(\d+)/.exec(said)?.[1]));
      });
      this.#child.once("exit", () => reject(new Error(`The node did not start: ${this.#log}`)));
    });
    this.client = new Client(`http://127.0.0.1:${this.#port}/`, { token: TOKEN, output: "off" });
  }

  /** Sends bytes on a connection of their own, and waits for its end. */
  send(bytes: Buffer, localAddress: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress });
      let answer = "";
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`the node said nothing and kept the connection: ${answer.slice(0, 200)}`));
      }, SILENCE_MS);
      socket.on("data", (chunk: Buffer) => {
        if (answer.length < 4_000) answer += chunk.toString("latin1");
      });
      socket.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") reject(new Error(`the node is gone: ${this.#log.slice(-2_000)}`));
      });
      socket.on("close", () => {
        clearTimeout(timer);
        if (answer.includes("KS_INTERNAL")) reject(new Error(answer));
        else resolve();
      });
      socket.end(bytes);
    });
  }

  /** Ends it, when it is found to be well: it answers, runs calls, has logged no defect, and did not grow. */
  async stop(): Promise<void> {
    try {
      const health = await fetch(`http://127.0.0.1:${this.#port}/health`);
      if (health.status !== 200) throw new Error(`/health is ${health.status}`);
      const sum: unknown = await this.client.with({ rpcName: "test" }).call("add", 1, 2);
      if (sum !== 3) throw new Error(`1 and 2 are ${String(sum)}`);
      const peak =
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))?.[1]) * 1024;
      if (peak > MOST_BYTES) throw new Error(`the node took ${peak} bytes`);
      const defect = /.*(a request failed|Unhandled|uncaught).*/i.exec(this.#log)?.[0];
      if (defect !== undefined) throw new Error(defect);
    } finally {
      await this.client.close();
      this.#child.kill("SIGKILL");
      await new Promise((resolve) => this.#child.once("close", resolve));
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }
}
