import { StringDecoder } from "node:string_decoder";
import { KitchenError } from "../core/errors.ts";
import type { JobId } from "../core/ids.ts";

/** A piece of a job's output, as `job.output()` gives it. */
export interface Output {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** When the node read it, by the node's clock. */
  readonly at: Date;
}

/** Something that takes bytes: a file, a socket, `process.stdout`. */
export interface Sink {
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
  if (option === "prefix") return new PrefixedOutput(`[${job.label} ${job.id.slice(-6)}] `);
  return new PlainOutput(option === "inherit" ? process : option);
}

const NO_OUTPUT: JobOutput = { write: () => {}, end: () => {} };

/** Byte for byte. */
class PlainOutput implements JobOutput {
  readonly #sinks: { readonly stdout: Sink; readonly stderr: Sink };

  constructor(sinks: { readonly stdout: Sink; readonly stderr: Sink }) {
    this.#sinks = sinks;
  }

  write(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#sinks[stream].write(bytes);
  }

  end(): void {}
}

const LINE = /[^\r\n]*(?:\r\n|\n|\r)/g;

/** Whole lines with a prefix. A progress bar that returns to the start of its line counts as a line each time. */
class PrefixedOutput implements JobOutput {
  readonly #prefix: string;
  readonly #decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  readonly #partial = { stdout: "", stderr: "" };

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  write(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const text = this.#partial[stream] + this.#decoders[stream].write(Buffer.from(bytes));
    // A lone \r at the very end may be half of a \r\n.
    const whole = /^.*(?:\n|\r(?=[^\n]))/s.exec(text)?.[0] ?? "";
    this.#partial[stream] = text.slice(whole.length);
    if (whole !== "") process[stream].write(whole.replace(LINE, `${this.#prefix}$&`));
  }

  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = this.#partial[stream] + this.#decoders[stream].end();
      this.#partial[stream] = "";
      if (rest !== "") process[stream].write(`${this.#prefix}${rest}${/[\r\n]$/.test(rest) ? "" : "\n"}`);
    }
  }
}
