/** How long programs live that wait for something, and forget to close their client. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { RunningCommand } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { printAndYield } from "./fixtures/jobs.mjs";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ numWorkers: 2 });
});
afterAll(() => cluster.close());

const environment = (): NodeJS.ProcessEnv => ({
  KITCHENSINK_URL: cluster.urls[0],
  KITCHENSINK_TOKEN: cluster.token,
});

/** A program of a user's, which has a client `c`. */
function program(body: string): RunningCommand {
  const source = `import { Client } from "kitchensink"; const c = new Client(process.env.KITCHENSINK_URL);\n${body}`;
  return running(new RunningCommand(["-e", source], environment(), "--input-type=module"));
}

function running(command: RunningCommand): RunningCommand {
  onTestFinished(() => command.kill());
  return command;
}

/** A generator's job that has begun to stream, which nobody reads; `goOn` lets it end. */
async function streamingJob(): Promise<{ job: Job<unknown>; goOn: () => void }> {
  const file = join(temporaryDirectory(), "go-on");
  const job = cluster.client.with({ output: "off" }).call(printAndYield, file);
  await job;
  return { job, goOn: () => writeFileSync(file, "") };
}

test("a program that makes a call for each item of a stream lives until it has left the loop", async () => {
  const { exited, stdout } = await ended(
    program(`
      const numbers = await c.call(async function* () { for (let n = 0; ; n++) yield n; });
      const wait = (n) => new Promise((resolve) => setTimeout(() => resolve(n), 200));
      for await (const n of numbers) {
        process.stdout.write(String(await c.call(wait, n)));
        if (n === 2) break;
      }`),
  );
  expect({ exited, stdout }).toEqual({ exited: 0, stdout: "012" });
});

test("a program that follows the output of a generator's job lives until the job has ended", async () => {
  const { job, goOn } = await streamingJob();
  const following = program(
    `for await (const { text } of c.job("${job.id}").output()) process.stdout.write(text);`,
  );
  await following.says("begun");
  goOn();
  const { exited, stdout } = await ended(following);
  expect({ exited, stdout }).toEqual({ exited: 0, stdout: "begun\nended\n" });
});

test("kitchensink logs -f does too", async () => {
  const { job, goOn } = await streamingJob();
  const following = running(new RunningCommand(["logs", "-f", job.id], environment()));
  await following.says("begun");
  goOn();
  const { exited, stdout } = await ended(following);
  expect({ exited, stdout }).toEqual({ exited: 0, stdout: "begun\nended\n" });
});

async function ended(command: RunningCommand): Promise<{ exited: number | null; stdout: string }> {
  const exited = await command.exited;
  return { exited, stdout: command.stdout };
}
