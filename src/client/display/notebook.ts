import { StringDecoder } from "node:string_decoder";
import type { Sink } from "../output/output.ts";

interface Broadcast {
  (type: "stream", content: { readonly name: "stdout" | "stderr"; readonly text: string }): Promise<void>;
}

/** In a notebook of Deno's kernel: what it shows below the cell. Its process has a stdout too, which nobody sees. */
function broadcast(): Broadcast | undefined {
  const { Deno } = globalThis as {
    readonly Deno?: { readonly jupyter?: { readonly broadcast?: Broadcast } };
  };
  return Deno?.jupyter?.broadcast;
}

class NotebookSink implements Sink {
  readonly #name: "stdout" | "stderr";
  readonly #broadcast: Broadcast;
  readonly #decoder = new StringDecoder("utf8");
  /** One after the other, so that lines keep their order. */
  static #last: Promise<void> = Promise.resolve();

  constructor(name: "stdout" | "stderr", send: Broadcast) {
    this.#name = name;
    this.#broadcast = send;
  }

  write(bytes: Uint8Array): void {
    const text = this.#decoder.write(Buffer.from(bytes));
    if (text === "") return;
    NotebookSink.#last = NotebookSink.#last
      .then(() => this.#broadcast("stream", { name: this.#name, text }))
      .catch(() => {});
  }
}

/** Where this process's own output goes: its stdout and stderr, or the notebook that it belongs to. */
export function ownSinks(): { readonly stdout: Sink; readonly stderr: Sink } {
  const send = broadcast();
  if (send === undefined) return process;
  return { stdout: new NotebookSink("stdout", send), stderr: new NotebookSink("stderr", send) };
}
