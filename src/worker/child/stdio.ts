import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { currentRun } from "./current-job.ts";

const STDOUT_FD = 1;
const STDERR_FD = 2;
/** Whose output it is that JavaScript code prints. */
interface Attribution {
  readonly isCurrent: (run: number) => boolean;
  /** Takes what a run printed that has ended. */
  readonly onStray: (text: string) => void;
}

const pauseCell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Replaces `process.stdout` and `process.stderr` by streams that write at once and block while the pipe is full. So
 * what JavaScript prints keeps its place among what child processes and native code print to the same descriptor,
 * nothing is lost by `process.exit()`, and a job that prints faster than it is read is slowed down.
 */
export function installStdio(attribution: Attribution): void {
  for (const [name, fd] of [
    ["stdout", STDOUT_FD],
    ["stderr", STDERR_FD],
  ] as const) {
    const stream = new DescriptorStream(fd, attribution);
    Object.defineProperty(process, name, {
      value: stream,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
}

/** Ends a run's output on both streams: what is written from here on is not that run's. */
export function writeMarkers(marker: Buffer): void {
  writeFully(STDOUT_FD, marker);
  writeFully(STDERR_FD, marker);
}

/** The bytes that end a run's output. The secret keeps a job from ending another's. */
export function markerOf(secret: string): Buffer {
  return Buffer.from(`\0${secret}\n`);
}

class DescriptorStream extends Writable {
  readonly fd: number;
  readonly isTTY = false;
  readonly #attribution: Attribution;

  constructor(fd: number, attribution: Attribution) {
    super({ decodeStrings: true });
    this.fd = fd;
    this.#attribution = attribution;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { isCurrent, onStray } = this.#attribution;
    const run = currentRun();
    try {
      // A timer that a finished job left behind may still print: that is no output of the job that runs now.
      if (run !== undefined && !isCurrent(run)) {
        onStray(chunk.toString());
        return done();
      }
      writeFully(this.fd, chunk);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  // Nobody may end the process's streams: console would fail for every later job.
  override end(): this {
    return this;
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    done();
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A child process that shares the pipe may have made it non-blocking.
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EAGAIN") throw error;
      Atomics.wait(pauseCell, 0, 0, 1);
    }
  }
}
