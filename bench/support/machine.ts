// On what the figures were measured: they mean nothing without it.
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly kernel: string;
  readonly node: string;
  /** What `redis-server --version` says; absent where there is none. */
  readonly redis?: string;
  /** Of whatever else took part, by its name. */
  readonly versions: Readonly<Record<string, string>>;
  /** `2025-11-26` */
  readonly date: string;
}

/** This machine today. `versions`: of what else takes part, by its name. */
export function describeMachine(versions: Readonly<Record<string, string>> = {}): Machine {
  const redis = redisVersion();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: `${type()} ${release()}`,
    node: process.version,
    ...(redis === undefined ? {} : { redis }),
    versions,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** One line for tables and charts. */
export function machineLine({ cpu, cores, memoryGB, kernel, node, redis, versions, date }: Machine): string {
  const programs = { Node: node, ...(redis === undefined ? {} : { Redis: redis }), ...versions };
  const named = Object.entries(programs).map(([name, version]) => `${name} ${version.replace(/^v/, "")}`);
  return `${cpu}, ${cores} cores, ${memoryGB} GB, ${kernel}; ${named.join(", ")}; ${date}`;
}

function redisVersion(): string | undefined {
  for (const program of ["valkey-server", "redis-server"])
    try {
      const said = execFileSync(program, ["--version"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      return /v=(\S+)/.exec(said)?.[1];
    } catch {
      // The next one may be there.
    }
  return undefined;
}
