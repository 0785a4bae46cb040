import { once } from "node:events";
import type { ClientData } from "../client/remote-data/client-data.ts";
import { Client } from "../client/client.ts";
import { Http } from "../client/connection/http.ts";
import { findToken } from "../client/connection/token.ts";
import { KitchenError } from "../core/errors.ts";
import { errorText } from "./error-text.ts";
import { EXIT } from "./exit-codes.ts";

/** What all commands take that ask a node. */
export interface SessionFlags {
  readonly url: string;
  readonly json: boolean;
}

export interface Session {
  readonly client: Client;
  /** For what the client does not offer. */
  readonly http: Http;
  readonly data: ClientData;
  /** Aborted by Ctrl-C, and when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  /** Writes to stdout: the text for people, or with `--json` the objects, one a line. */
  readonly tell: (text: string, objects: readonly object[]) => Promise<void>;
}

/** Why a command was ended from outside. */
class Interruption extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}

const EXIT_CODES = { SIGHUP: EXIT.hangup, SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;
/** How long an interrupted command may take to clean up. */
const CLEAN_UP_MS = 1_500;

/** Runs a command with a client of its own; `work` gives the exit code. */
export async function inSession(
  { url, json }: SessionFlags,
  work: (session: Session) => Promise<number>,
): Promise<void> {
  // What Ctrl-C means is up to the command.
  const client = new Client(url, { interrupt: "leave" });
  const http = new Http(client.url, findToken(client.url));
  const stop = new AbortController();
  let closing: NodeJS.Timeout | undefined;
  const { signal } = stop;
  const release = onInterruption((reason) => {
    // Whoever asks twice does not wait for what cleans up; files are removed at the exit all the same.
    if (signal.aborted && reason instanceof Interruption) process.exit(reason.exitCode);
    stop.abort(reason);
    // What was begun at the node is given up first; requests that were not given the signal end with their connections.
    closing = setTimeout(() => void client.close(), CLEAN_UP_MS);
  });
  const tell = async (text: string, objects: readonly object[]): Promise<void> =>
    await write(json ? objects.map((object) => `${JSON.stringify(object)}\n`).join("") : text, signal);
  try {
    process.exitCode = await work({ client, http, data: client.data, signal, tell });
  } catch (error) {
    if (!signal.aborted) throw error;
    if (!(signal.reason instanceof Interruption)) throw signal.reason;
    process.exitCode = signal.reason.exitCode;
  } finally {
    release();
    clearTimeout(closing);
    http.close();
    await client.close();
  }
}

/** A line on stderr, for people. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** As errors are told: one of several does not end the command. */
export function complain(error: unknown): void {
  note(`kitchensink: ${errorText(error)}`);
}

async function write(text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!process.stdout.write(text)) await once(process.stdout, "drain", { signal });
}

/** Until the returned function is called. */
function onInterruption(interrupt: (reason: Error) => void): () => void {
  const listeners = Object.entries(EXIT_CODES).map(
    ([name, code]) => [name, (): void => interrupt(new Interruption(code))] as const,
  );
  for (const [name, listener] of listeners) process.on(name, listener);
  // For good: the last write may fail after the work is done.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    interrupt(
      cause.code === "EPIPE"
        ? new Interruption(EXIT.brokenPipe)
        : new KitchenError(
            "KS_USAGE",
            `Cannot write to stdout: ${cause.message} (lead it to where there is room)`,
            { cause },
          ),
    );
  });
  process.stderr.on("error", () => {});
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener);
  };
}
