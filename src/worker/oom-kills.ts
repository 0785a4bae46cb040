import { readFileSync } from "node:fs";

const CGROUPS = "/sys/fs/cgroup";

/** Tells whether the system has killed a process of this one's cgroup for lack of memory; Linux alone can tell. */
export class OomKills {
  readonly #files: readonly string[];
  #seen: number | undefined;

  /** `files`: those with a line `oom_kill <number>`; the first that is there counts. */
  constructor(files: readonly string[] = filesOf("/proc/self/cgroup")) {
    this.#files = files;
    this.#seen = this.#read();
  }

  /** Whether there was one since the last time that somebody asked. `undefined`: nobody knows. */
  anyNew(): boolean | undefined {
    const before = this.#seen;
    this.#seen = this.#read();
    return before === undefined || this.#seen === undefined ? undefined : this.#seen > before;
  }

  #read(): number | undefined {
    for (const file of this.#files) {
      const [, count] = /^oom_kill (\d+)$/m.exec(textOf(file)) ?? [];
      if (count !== undefined) return Number(count);
    }
    return undefined;
  }
}

/** Where the kernel counts for this process: in a container its cgroup is the root of what it sees. */
function filesOf(list: string): string[] {
  const files = textOf(list)
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers === "") return [`${CGROUPS}${path}/memory.events`];
      return controllers === "memory" ? [`${CGROUPS}/memory${path}/memory.oom_control`] : [];
    });
  return [...files, `${CGROUPS}/memory.events`, `${CGROUPS}/memory/memory.oom_control`];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
