import { spawn, type ChildProcess } from "node:child_process";

/**
 * Reads lines `+PID` and `-PID`; when its input ends, kills the process groups that are still listed. A shell, because
 * it must outlive a node that was killed, cost next to nothing, and not depend on this process in any way.
 */
const SCRIPT = `
trap '' INT TERM HUP
list=' '
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) list="$list$pid " ;;
    -*) list="\${list%% $pid *} \${list#* $pid }" ;;
  esac
done
for pid in $list; do kill -KILL "-$pid" 2>/dev/null; done
`;

/** Makes sure that no child outlives this process, not even a busy one when this process is killed. */
export class OrphanGuard {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn("/bin/sh", ["-c", SCRIPT], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      env: {},
      cwd: "/",
    });
    // First: where the system starts no more processes, the rest of this one is missing.
    this.#shell.on("error", () => {});
    // It must not keep a process alive that has nothing else to do.
    this.#shell.unref();
    const { stdin } = this.#shell;
    if (stdin && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
    stdin?.on("error", () => {});
  }

  /** From now on the process group that `child` leads is killed when this process ends. */
  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#shell.stdin?.write(`+${pid}\n`);
    child.once("exit", () => this.#shell.stdin?.write(`-${pid}\n`));
  }

  /** Resolves when the guard is gone. Children that still live are killed. */
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null || this.#shell.pid === undefined)
      return;
    this.#shell.ref();
    const gone = new Promise((resolve) => this.#shell.once("exit", resolve));
    this.#shell.stdin?.end();
    await gone;
  }
}
