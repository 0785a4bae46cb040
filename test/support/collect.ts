import type { Sink } from "kitchensink";

/** Sinks that keep what is written to them. */
export class Collected {
  readonly chunks: { readonly stream: "stdout" | "stderr"; readonly bytes: Buffer }[] = [];

  readonly sinks: { stdout: Sink; stderr: Sink } = {
    stdout: { write: (bytes) => this.chunks.push({ stream: "stdout", bytes: Buffer.from(bytes) }) },
    stderr: { write: (bytes) => this.chunks.push({ stream: "stderr", bytes: Buffer.from(bytes) }) },
  };

  text(stream: "stdout" | "stderr"): string {
    return Buffer.concat(
      this.chunks.filter((chunk) => chunk.stream === stream).map(({ bytes }) => bytes),
    ).toString();
  }
}
