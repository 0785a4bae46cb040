import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { FrameReader, frames } from "../codec/frames.ts";
import { encodeToWorker, parseFromWorker } from "../codec/worker-wire.ts";
import { LRUCache } from "lru-cache";
import type { UnitHash } from "../core/ids.ts";
import type { FromWorker, FunctionInfo, NamespaceInfo, ToWorker, WorkerSettings } from "../core/messages.ts";
import type { OrphanGuard } from "./orphan-guard.ts";
import { EXIT_CODES } from "../core/exit-codes.ts";
import { type Because, describeExit, type Exit } from "./exit.ts";
import type { OomKills } from "./oom-kills.ts";
import { OutputSplitter } from "./output-splitter.ts";
import { spawnProcess } from "./spawn-process.ts";
import { RunList, type RunHandlers, type StartRun, type StreamName } from "./run-list.ts";

/** How long the pipes of a process that ended may stay open, for processes that escaped its group. */
const PIPES_CLOSE_MS = 500;

/** A process that ends closes its pipes first: one that lives on this long after has lost its ties to the node. */
const PIPES_ENDED_MS = 250;

/** As many as a worker keeps compiled. */
const MOST_UNITS = 5_000;

/** What a worker answers to a question about its functions. */
type Answer = Extract<FromWorker, { type: "described" | "declared" }>;

export interface WorkerOptions {
  /** Its place in its pool, from 1. */
  readonly slot: number;
  readonly settings: Omit<WorkerSettings, "secret">;
  readonly environment: NodeJS.ProcessEnv;
  /** What it may have; `undefined`: what V8 takes by itself. */
  readonly memoryBytes: number | undefined;
  /** One that was started with this environment and memory already, and that nobody has used. Taken over. */
  readonly child?: ChildProcess | undefined;
  readonly guard: OrphanGuard;
  readonly oomKills: OomKills;
  readonly maxFrameBytes: number;
  /** What the worker printed while it ran nothing. */
  readonly onStrayOutput: (text: string) => void;
}

/** The node's view of one worker process. Rejects and ends everything that waits on it when the process dies. */
export class WorkerProcess {
  /** Settles when the worker can run jobs; rejects when its modules fail to load, or when it dies before. */
  readonly ready: Promise<readonly NamespaceInfo[]>;
  readonly exited: Promise<Exit>;
  readonly startedAtMs: number = Date.now();
  readonly slot: number;
  readonly #child: ChildProcess;
  readonly #channel: Socket;
  readonly #runs: RunList;
  /** What the worker has; it is told to forget what has not been used for long, so neither side grows for ever. */
  readonly #units = new LRUCache<UnitHash, true>({
    max: MOST_UNITS,
    dispose: (_, hash, reason) => {
      if (reason === "evict") this.#send({ type: "forget", hash });
    },
  });
  readonly #onStrayOutput: (text: string) => void;
  readonly #oomKills: OomKills;
  #hasRun = false;
  #hasExited = false;
  #isKilled = false;
  #closed: Because | undefined;
  #onWaiting: () => void = () => {};
  readonly #requests = new Map<number, (answer: Answer | null) => void>();
  #lastRequest = 0;
  #outbox: Buffer[] = [];
  #resolveReady!: (namespaces: readonly NamespaceInfo[]) => void;
  #rejectReady!: (error: Error) => void;

  constructor(options: WorkerOptions) {
    const { settings, environment, memoryBytes, child, guard, maxFrameBytes, onStrayOutput } = options;
    const secret = randomBytes(16).toString("hex");
    this.slot = options.slot;
    this.#child = child ?? spawnProcess({ environment, memoryBytes });
    guard.watch(this.#child);
    this.#runs = new RunList(onStrayOutput);
    this.#onStrayOutput = onStrayOutput;
    this.#oomKills = options.oomKills;
    this.#channel = this.#child.stdio[3] as Socket;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.ready.catch(() => {});
    this.exited = this.#followExit();
    this.#readChannel(maxFrameBytes);
    this.#readOutput(Buffer.from(`\0${secret}\n`));
    this.#send({ type: "start", settings: { ...settings, secret } });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * How long the runs will take that it was given and has not ended, in ms; infinite while one streams its result, or
   * after a {@link recall} until the one that runs has ended.
   */
  get loadMs(): number {
    return this.#runs.loadMs;
  }

  get isStreaming(): boolean {
    return this.#runs.isStreaming;
  }

  /** Whether it was given any. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** The run whose turn it is; 0: none. */
  get running(): number {
    return this.#runs.running;
  }

  /** Whether runs wait behind the one that runs. */
  get holdsSeveral(): boolean {
    return this.#runs.count > 1;
  }

  /** Runs a job after those it holds already. `units` gives the bytes of those that this worker has not had. */
  run(
    start: StartRun,
    units: ReadonlyMap<UnitHash, Uint8Array>,
    handlers: RunHandlers,
    expectedMs: number,
  ): void {
    for (const [hash, bytes] of units) {
      if (this.#units.get(hash) === true) continue;
      this.#units.set(hash, true);
      this.#send({ type: "unit", hash, bytes });
    }
    this.#hasRun = true;
    this.#runs.add(start.run, handlers, expectedMs);
    this.#send({ type: "run", ...start });
  }

  /** Asks a run to stop: drops it if it has not begun, else aborts its signal. */
  cancel(run: number, reason: string): void {
    this.#send({ type: "cancel", run, reason });
  }

  /** Takes back the runs that wait behind the one that runs, if they have not begun when the worker hears of it. */
  recall(): void {
    for (const run of this.#runs.overdue()) this.#send({ type: "recall", run });
  }

  /** Tells a run that streams how far its items were read, or that no more are wanted. */
  read(run: number, from: number, isOver: boolean): void {
    this.#send({ type: "read", run, from, isOver });
  }

  /** Lists a namespace's functions; `null` when there is no such namespace. */
  async describe(namespace: string): Promise<readonly FunctionInfo[] | null> {
    const answer = await this.#ask((request) => ({ type: "describe", request, namespace }));
    return answer?.type === "described" ? answer.functions : null;
  }

  /** The types of these namespaces' functions as a declaration file; `null` when the worker cannot tell, or has died. */
  async declare(namespaces: readonly string[]): Promise<string | null> {
    const answer = await this.#ask((request) => ({ type: "declare", request, namespaces }));
    return answer?.type === "declared" ? answer.declarations : null;
  }

  #ask(question: (request: number) => ToWorker): Promise<Answer | null> {
    const request = ++this.#lastRequest;
    return new Promise((resolve) => {
      this.#requests.set(request, resolve);
      this.#send(question(request));
    });
  }

  /** Kills the worker and every process that its jobs started. */
  kill(): void {
    this.#isKilled = true;
    this.#killGroup();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nobody of the group is left.
    }
  }

  /** Calls back again and again while its run waits for jobs that it called, which may need its place. */
  whileWaiting(callback: () => void): void {
    this.#onWaiting = callback;
  }

  /** Lets the worker finish what it holds, and then ends it. */
  closeWhenIdle(): void {
    this.#runs.onceEmpty(() => this.#channel.end());
  }

  #send(message: ToWorker): void {
    // What is sent in one turn of the loop goes down in one write.
    if (this.#outbox.length === 0) setImmediate(() => this.#flush());
    this.#outbox.push(encodeToWorker(message));
  }

  #flush(): void {
    if (this.#channel.writable) this.#channel.write(frames(this.#outbox));
    this.#outbox = [];
  }

  #readChannel(maxFrameBytes: number): void {
    const reader = new FrameReader(maxFrameBytes);
    this.#channel.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk, (body) => this.#receive(parseFromWorker(body)));
      } catch {
        // A worker whose frames make no sense cannot be trusted with jobs.
        this.kill();
      }
    });
    this.#channel.on("error", () => {});
    this.#channel.on("close", () => this.#pipeEnded("closed-channel"));
  }

  #readOutput(marker: Buffer): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const splitter = new OutputSplitter(
        marker,
        (bytes) => this.#pauseFor(stream, this.#runs.output(stream, bytes)),
        () => this.#runs.outputEnded(stream),
      );
      this.#child[stream]?.on("data", (chunk: Buffer) => splitter.push(chunk));
      this.#child[stream]?.on("end", () => {
        splitter.finish();
        this.#pipeEnded("closed-output");
      });
    }
  }

  /** Whoever prints faster than is read waits in its write: only this worker, and only until it dies. */
  #pauseFor(stream: StreamName, room: Promise<void> | undefined): void {
    if (room === undefined || this.#hasExited) return;
    this.#child[stream]?.pause();
    void room.then(() => this.#child[stream]?.resume());
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "ready":
        this.#resolveReady(message.namespaces);
        break;
      case "module-failed":
        this.#rejectReady(new Error(message.message));
        break;
      case "streaming":
        for (const run of this.#runs.streaming(message.run)) this.#send({ type: "recall", run });
        break;
      case "item":
        this.#runs.item(message.run, message.bytes);
        break;
      case "progress":
        this.#runs.progress(message.run, message.progress);
        break;
      case "finished":
        this.#runs.finished(message.run, message.result);
        break;
      case "skipped":
        this.#runs.skipped(message.run);
        break;
      case "waiting":
        if (message.run === this.running) this.#onWaiting();
        break;
      case "stray":
        this.#onStrayOutput(message.text);
        break;
      case "described":
      case "declared":
        this.#requests.get(message.request)?.(message);
        this.#requests.delete(message.request);
        break;
    }
  }

  /** Without its channel or without markers no run would ever end. */
  #pipeEnded(because: Because): void {
    setTimeout(() => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
      this.#closed ??= because;
      this.kill();
    }, PIPES_ENDED_MS).unref();
  }

  #exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
    const because = this.#because(code, signal);
    return because === undefined ? { code, signal } : { code, signal, because };
  }

  #because(code: number | null, signal: NodeJS.Signals | null): Because | undefined {
    if (code === EXIT_CODES["closed-output"]) return "closed-output";
    if (code === EXIT_CODES["closed-channel"]) return "closed-channel";
    if (this.#closed !== undefined) return this.#closed;
    if (signal !== "SIGKILL" || this.#isKilled) return undefined;
    const isShort = this.#oomKills.anyNew();
    return isShort === undefined ? "unknown-killer" : isShort ? "system-out-of-memory" : undefined;
  }

  #closePipes(): void {
    for (const pipe of this.#child.stdio) pipe?.destroy();
  }

  #followExit(): Promise<Exit> {
    return new Promise((resolve) => {
      // "close", not "exit": the pipes have then been read to their ends, so the last output is not lost.
      this.#child.once("close", (code, signal) => end(this.#exitOf(code, signal)));
      this.#child.once("error", () => end({ code: null, signal: null }));
      // Processes that a job left behind may hold the pipes open: they do not keep the slot.
      this.#child.once("exit", () => {
        this.#killGroup();
        this.#hasExited = true;
        for (const stream of ["stdout", "stderr"] as const) this.#child[stream]?.resume();
        setTimeout(() => this.#closePipes(), PIPES_CLOSE_MS).unref();
      });
      const end = (exit: Exit): void => {
        this.#rejectReady(new Error(`the worker process ended before it was ready (${describeExit(exit)})`));
        for (const settle of this.#requests.values()) settle(null);
        this.#requests.clear();
        this.#runs.lost(exit);
        resolve(exit);
      };
    });
  }
}
