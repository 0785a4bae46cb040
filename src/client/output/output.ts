import { StringDecoder } from "node:string_decoder";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Progress } from "../../core/progress.ts";
import { LateBar } from "../display/late-bar.ts";
import { ownSinks } from "../display/notebook.ts";

/** A piece of a job's output, as `job.output()` gives it. */
export interface Output {
  /** Where the job wrote it. */
  readonly stream: "stdout" | "stderr";
  /** Whole characters, and not always whole lines. */
  readonly text: string;
  /** When the node read it, by the node's clock. */
  readonly at: Date;
}

/**
 * Something that takes bytes: a file, a socket, `process.stdout`.
 *
 * @example
 * ```ts
 * const said: string[] = [];
 * const sink: Sink = { write: (bytes) => said.push(Buffer.from(bytes).toString()) };
 * ```
 */
export interface Sink {
  /** Takes the next bytes. What it returns is not looked at. */
  write(bytes: Uint8Array): unknown;
}

/**
 * Where the output of jobs goes: `inherit` to this process's stdout and stderr as it comes, byte for byte; `prefix`
 * there too, line by line, each with the job it comes from; `off` nowhere; or into streams of one's own.
 */
export type OutputOption = "inherit" | "prefix" | "off" | { readonly stdout: Sink; readonly stderr: Sink };

/** Takes one job's output. */
export interface JobOutput {
  write(stream: "stdout" | "stderr", bytes: Uint8Array, atMs: number): void;
  /** How far the job says that it is. */
  progress(progress: Progress): void;
  /** The job has ended. */
  end(): void;
}

/** @throws KitchenError `KS_USAGE` for what is no output option */
export function checkOutputOption(option: unknown): asserts option is OutputOption {
  if (option === "inherit" || option === "prefix" || option === "off") return;
  if (typeof option === "object" && option !== null && "stdout" in option && "stderr" in option) return;
  throw new KitchenError(
    "KS_USAGE",
    `Not an output option: ${JSON.stringify(option)} (expected "inherit", "prefix", "off" or { stdout, stderr })`,
  );
}

export function outputOf(option: OutputOption, job: { id: JobId; label: string }): JobOutput {
  if (option === "off") return NO_OUTPUT;
  const bar = typeof option === "string" ? new JobBar(job.label) : NO_BAR;
  if (option === "prefix") return new PrefixedOutput(`[${job.label} ${job.id.slice(-6)}] `, bar);
  return new PlainOutput(option === "inherit" ? ownSinks() : option, bar);
}

const NO_OUTPUT: JobOutput = { write: () => {}, progress: () => {}, end: () => {} };
const NO_BAR: Pick<JobOutput, "progress" | "end"> = { progress: () => {}, end: () => {} };

/** Below the output, while the job goes on. */
class JobBar {
  readonly #label: string;
  #bar: LateBar | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  progress(progress: Progress): void {
    const label = progress.label === "" ? this.#label : `${this.#label}: ${progress.label}`;
    (this.#bar ??= new LateBar()).show({ ...progress, label });
  }

  end(): void {
    this.#bar?.end();
  }
}

/** Byte for byte. */
class PlainOutput implements JobOutput {
  readonly #sinks: { readonly stdout: Sink; readonly stderr: Sink };
  readonly #bar: Pick<JobOutput, "progress" | "end">;

  constructor(
    sinks: { readonly stdout: Sink; readonly stderr: Sink },
    bar: Pick<JobOutput, "progress" | "end">,
  ) {
    const { stdout, stderr } = sinks;
    // Read once: whoever has to tell jobs apart gives each sinks of its own, by getters.
    this.#sinks = { stdout, stderr };
    this.#bar = bar;
  }

  progress(progress: Progress): void {
    this.#bar.progress(progress);
  }

  write(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#sinks[stream].write(bytes);
  }

  end(): void {
    this.#bar.end();
  }
}

const LINE = /[^\r\n]*(?:\r\n|\n|\r)/g;

/** Whole lines with a prefix. A progress bar that returns to the start of its line counts as a line each time. */
class PrefixedOutput implements JobOutput {
  readonly #sinks = ownSinks();
  readonly #prefix: string;
  readonly #decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  /** The line that has not ended: only grown, and looked at once, when it ends. */
  readonly #partial = { stdout: "", stderr: "" };
  /** A lone \r at the very end may be half of a \r\n. */
  readonly #carriage = { stdout: "", stderr: "" };
  readonly #bar: Pick<JobOutput, "progress" | "end">;

  constructor(prefix: string, bar: Pick<JobOutput, "progress" | "end">) {
    this.#prefix = prefix;
    this.#bar = bar;
  }

  progress(progress: Progress): void {
    this.#bar.progress(progress);
  }

  write(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const fresh = this.#carriage[stream] + this.#decoders[stream].write(Buffer.from(bytes));
    this.#carriage[stream] = fresh.endsWith("\r") ? "\r" : "";
    const text = fresh.slice(0, fresh.length - this.#carriage[stream].length);
    const end = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
    const lines = end === 0 ? "" : this.#partial[stream] + text.slice(0, end);
    this.#partial[stream] = end === 0 ? this.#partial[stream] + text : text.slice(end);
    if (lines !== "") this.#print(stream, lines.replace(LINE, `${this.#prefix}$&`));
  }

  #print(stream: "stdout" | "stderr", text: string): void {
    this.#sinks[stream].write(Buffer.from(text));
  }

  end(): void {
    this.#bar.end();
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = this.#partial[stream] + this.#carriage[stream] + this.#decoders[stream].end();
      this.#partial[stream] = "";
      this.#carriage[stream] = "";
      if (rest !== "") this.#print(stream, `${this.#prefix}${rest}${/[\r\n]$/.test(rest) ? "" : "\n"}`);
    }
  }
}
