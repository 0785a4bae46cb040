/** How a node ends: asked to, twice, by a terminal that closes, or killed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readToken } from "../../src/client/connection/token.ts";
import { untilThere } from "../cluster/fixtures/jobs.mjs";
import { clientOf, gone, MAIN, startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { hasTerminal, Terminal } from "../support/terminal.ts";

test("Ctrl-C lets a running job finish, and leaves no process", async () => {
  const node = await startNodeProcess();
  const c = clientOf(node);
  const pid = await c.call(() => process.pid);
  const job = c.call(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return "finished";
  });
  await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  node.kill("SIGINT");
  expect(await job).toBe("finished");
  expect(await node.exited).toBe(0);
  await gone([pid]);
});

test("a second Ctrl-C stops at once, with a non-zero exit code", async () => {
  const node = await startNodeProcess();
  const c = clientOf(node);
  const pid = await c.call(() => process.pid);
  const job = c.call(() => {
    for (;;);
  });
  job.catch(() => {});
  await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  node.kill("SIGINT");
  await expect.poll(() => node.stderr).toContain("Stopping");
  node.kill("SIGINT");
  expect(await node.exited).not.toBe(0);
  await gone([pid]);
});

test("SIGHUP stops it as SIGTERM does, and several of them, as a terminal may send, do not hurry it", async () => {
  const node = await startNodeProcess();
  const c = clientOf(node);
  const go = join(temporaryDirectory(), "go");
  const job = c.with({ idempotent: false }).call(untilThere, go);
  await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  node.kill("SIGHUP");
  await expect.poll(() => node.stderr).toContain("Stopping");
  node.kill("SIGHUP");
  await c.nodes();
  writeFileSync(go, "");
  expect(await job).toMatchObject({ attempt: 1 });
  expect(await node.exited).toBe(0);
});

test.runIf(hasTerminal())(
  "when its terminal is closed, a running job finishes, though nothing can be written there any more",
  async () => {
    const folder = temporaryDirectory();
    const file = (name: string): string => join(folder, name);
    const [go, passed, code, tokenFile] = [file("go"), file("passed"), file("code"), file("token")];
    const flags = ["--embedded", "--node-port", "0", "--token-file", tokenFile, "--log-level", "debug"];
    // As interactive shells do: it passes the signal on to what it started. Then it notes how that ended.
    const passOn = `"$@" & trap "kill -HUP $!; touch ${passed}" HUP; wait $!; wait $!; echo $? > ${code}`;
    const command = ["sh", "-c", passOn, "sh", process.execPath, MAIN, "start", ...flags];
    const terminal = new Terminal(command, { folder });
    await terminal.shows("Ctrl-C stops it");
    const url = /url +(http:\S+)/.exec(terminal.text())?.[1] ?? "";
    const c = clientOf({ url, token: readToken(tokenFile) ?? "" });
    const job = c.with({ idempotent: false }).call(untilThere, go);
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
    terminal.close();
    await expect.poll(() => existsSync(passed)).toBe(true);
    writeFileSync(go, "");
    expect(await job).toMatchObject({ attempt: 1 });
    const ended = (): string => (existsSync(code) ? readFileSync(code, "utf8") : "");
    await expect.poll(ended, { timeout: 10_000 }).toMatch(/\d\n/);
    expect(ended()).toBe("0\n");
  },
  30_000,
);

test("kill -9 of the node leaves no worker, not even a busy one, and no child of a job", async () => {
  const node = await startNodeProcess(["--embedded", "--num-workers", "2"]);
  const c = clientOf(node);
  const idle = await c.with({ async: false }).call(() => process.pid);
  const pids: number[] = [idle];
  const job = c
    .with({
      output: {
        stdout: {
          write: (bytes) => pids.push(...Buffer.from(bytes).toString().trim().split(" ").map(Number)),
        },
        stderr: process.stderr,
      },
    })
    .call(() => {
      const child = process.getBuiltinModule("node:child_process").spawn("sleep", ["60"]);
      console.log(`${process.pid} ${child.pid}`);
      for (;;);
    });
  job.catch(() => {});
  await expect.poll(() => pids).toHaveLength(3);
  node.kill("SIGKILL");
  await node.exited;
  await c.close();
  await gone(pids);
});
