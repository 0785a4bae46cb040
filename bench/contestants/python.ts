// Contestants in Python: they need packages that npm does not bring, and take part where these are installed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/store/support/redis.ts";
import { descendantsOf, startProgram, type Program, type RunningProgram } from "../support/processes.ts";
import { startBenchRedis } from "../support/redis.ts";
import type { Contestant, Counts, Running } from "./contestant.ts";
import { startDriver } from "./driver.ts";
import { pythonWith } from "../support/programs.ts";

export interface PythonContestant {
  readonly name: string;
  readonly title: string;
  readonly module: string;
  /** Debian's package, which brings all else that is needed. */
  readonly debian: string;
  /** It has `client.py`, and the modules that its programs import. */
  readonly folder: URL;
  readonly counts: Counts;
  readonly usesRedis: boolean;
  /** Its processes but the driver, each started when the one before is ready. `port`: of the Redis, else a free one. */
  readonly programs: (port: number) => readonly PythonProgram[];
}

/** `args`: what Python runs, such as `["-m", "celery", …]`. */
export interface PythonProgram extends Pick<Program, "args" | "ready"> {
  readonly part: "node" | "workers";
}

type Started = RunningProgram & Pick<PythonProgram, "part">;

export function pythonContestant(options: PythonContestant): Contestant {
  const { name, title, module, debian, counts } = options;
  return {
    name,
    title,
    counts,
    versions: () => ({ [title.split(",")[0]!]: pythonWith(module)?.version ?? "" }),
    missing: () =>
      pythonWith(module) === undefined
        ? `${title}: no Python here has ${module} (Debian: apt-get install ${debian})`
        : undefined,
    start: () => start(options, pythonWith(module)!.command),
  };
}

async function start({ folder, usesRedis, programs }: PythonContestant, python: string): Promise<Running> {
  const redis = usesRedis ? await startBenchRedis() : undefined;
  const port = redis?.port ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-bench-"));
  const path = [folder, new URL("./", import.meta.url)].map((url) => fileURLToPath(url)).join(delimiter);
  const env = { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: "1", BENCH_PORT: String(port) };
  const started: Started[] = [];
  for (const { part, ...program } of programs(port))
    started.push({ part, ...(await startProgram({ command: python, ...program, env, folder: directory })) });
  const driver = await startDriver([python, fileURLToPath(new URL("client.py", folder))], { port }, env);
  const pidsOf = (part: PythonProgram["part"]): number[] =>
    started.filter((one) => one.part === part).flatMap(({ pid }) => [pid, ...descendantsOf(pid)]);
  return {
    driver,
    parts: () => ({
      client: [driver.pid],
      ...(redis === undefined ? {} : { Redis: [redis.pid] }),
      node: pidsOf("node"),
      workers: pidsOf("workers"),
    }),
    stop: async () => {
      await driver.stop();
      for (const program of started.toReversed()) await program.stop();
      await redis?.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
