// A process that calls functions, and comes back as another one when it was killed.
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { Child, type Exit } from "./child.ts";

const REGISTER = fileURLToPath(new URL("../../dist/register.js", import.meta.url));
const MAIN = fileURLToPath(new URL("../load/main.ts", import.meta.url));

/** What a client process is told. */
export interface LoadSettings {
  readonly name: string;
  readonly seed: number;
  readonly urls: readonly string[];
  readonly token: string;
  readonly callsPerSecond: number;
  readonly journal: string;
  /** Where runs say that they begin. */
  readonly begun: string;
}

export interface ClientSettings {
  readonly name: string;
  readonly root: string;
  readonly load: Omit<LoadSettings, "name" | "journal">;
  /** A process of this name writes to this file. */
  readonly onStart: (name: string, journal: string) => void;
  readonly onExit: (name: string, exit: Exit) => void;
}

export class StageClient {
  readonly name: string;
  readonly #settings: ClientSettings;
  #child: Child | undefined;
  #lives = 0;
  #isPaused = false;

  constructor(settings: ClientSettings) {
    this.name = settings.name;
    this.#settings = settings;
  }

  get pid(): number {
    return this.#child?.isAlive === true ? this.#child.pid : 0;
  }

  start(): void {
    const { root, load, onStart, onExit } = this.#settings;
    this.#lives += 1;
    const name = `${this.name}.${this.#lives}`;
    const journal = join(root, "journals", `${name}.jsonl`);
    const settings: LoadSettings = { ...load, seed: load.seed + this.#lives, name, journal };
    onStart(name, journal);
    const child = new Child({
      args: ["--import", REGISTER, MAIN, JSON.stringify(settings)],
      logFile: join(root, "logs", `${this.name}.log`),
      folder: root,
      env: { TMPDIR: join(root, "client-tmp") },
    });
    this.#child = child;
    if (this.#isPaused) child.tell("pause");
    void child.exited.then((exit) => onExit(name, exit));
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  /** Has it make no calls until it may again. */
  pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#child?.tell(isPaused ? "pause" : "go on");
  }

  /** Has it make no more calls; it ends when it has what it waits for. */
  stop(): void {
    this.#child?.tell("stop");
  }
}
