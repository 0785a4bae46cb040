import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Recoverable, type REPLEval, type REPLServer, start } from "node:repl";
import { closure } from "../../capture/closure.ts";
import { Client } from "../../client/client.ts";
import { client, setupClient } from "../../client/default-client.ts";
import { registerError, RemoteError } from "../../client/errors.ts";
import { RemoteData } from "../../client/remote-data/remote-data.ts";
import { Http } from "../../client/connection/http.ts";
import { findToken, stateDirectory } from "../../client/connection/token.ts";
import { registerCodec } from "../../codec/codec.ts";
import { KitchenError } from "../../core/errors.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";
import { installTypeScript } from "../../worker/typescript/install.ts";
import { facts } from "../jobs/show-value.ts";
import { painter } from "../style.ts";
import { AbovePrompt } from "./above-prompt.ts";
import { AwaitedJobs } from "./awaited.ts";
import { clusterCommands } from "./cluster-commands.ts";
import { defineCommands } from "./commands.ts";
import { OneByOne } from "./one-by-one.ts";
import { translate } from "./javascript.ts";

export interface ReplFlags {
  readonly url: string;
  readonly json: boolean;
}

/** Its types do not know `historySize`. */
const OPTIONS = {
  prompt: "> ",
  useGlobal: true,
  // Without it, nothing that is awaited could be interrupted.
  breakEvalOnSigint: true,
  historySize: 10_000,
};

/** `kitchensink repl` */
export async function openRepl({ url, json }: ReplFlags): Promise<void> {
  // With `--json` stdout is for what lines come to.
  const output = json ? process.stderr : process.stdout;
  await greet(url, output);
  process.setSourceMapsEnabled(true);
  installTypeScript({ ownsPackage: true });
  const awaited = new AwaitedJobs();
  awaited.watch();
  const lines = process.stdin.isTTY ? undefined : new OneByOne();
  const server = start({
    ...OPTIONS,
    ignoreUndefined: json,
    input: lines?.input ?? process.stdin,
    output,
  });
  const above = new AbovePrompt(server, output);
  // Its output goes above the prompt, and Ctrl-C is heard by the REPL.
  const c = setupClient(url, { output: above.sinks, interrupt: "leave" });
  Object.assign(server.context, GLOBALS, { c });
  takeLines(server, { above, awaited, lines, json });
  const http = new Http(c.url, findToken(c.url));
  defineCommands(server, clusterCommands(c, http));
  rememberLines(server);
  above.show();
  server.on("exit", () => {
    http.close();
    void c.close();
    lines?.close();
    process.stdin.destroy();
  });
  await lines?.feed(process.stdin);
}

const GLOBALS = {
  Client,
  client,
  closure,
  KitchenError,
  registerCodec,
  registerError,
  RemoteData,
  RemoteError,
  setupClient,
};

/** @throws KitchenError when no node answers, before there is a prompt */
async function greet(url: string, output: NodeJS.WriteStream): Promise<void> {
  const c = new Client(url);
  try {
    const nodes = await c.nodes();
    const workers = nodes.reduce((sum, node) => sum + node.workers, 0);
    const cluster = `${nodes.length === 1 ? "1 node" : `${nodes.length} nodes`}, ${workers === 1 ? "1 worker" : `${workers} workers`}`;
    const dim = painter(output);
    output.write(`Kitchen Sink ${PACKAGE_VERSION} at ${c.url.href}: ${cluster}\n`);
    output.write(dim("dim", "c is the client; .help lists commands, Ctrl-D leaves\n"));
  } finally {
    await c.close();
  }
}

interface Around {
  readonly above: AbovePrompt;
  readonly awaited: AwaitedJobs;
  readonly lines: OneByOne | undefined;
  /** Whether what lines come to goes to stdout, as JSON. */
  readonly json: boolean;
}

/** Puts TypeScript before Node's own evaluation, which knows top-level await. */
function takeLines(server: REPLServer, { above, awaited, lines, json }: Around): void {
  const { eval: evaluate, writer: show } = server;
  const displayPrompt = server.displayPrompt.bind(server);
  const own: REPLEval = function own(this: REPLServer, typed, context, file, done) {
    // What completion asks for has no end of line.
    if (!typed.endsWith("\n")) return evaluate.call(this, typed, context, file, done);
    above.hide();
    awaited.begin();
    const translated = translate(typed);
    if (translated.type === "incomplete") return done(new Recoverable(translated.error), undefined);
    const code = translated.type === "javascript" ? translated.code : typed;
    evaluate.call(this, code, context, file, json ? printed(done) : done);
  };
  Object.assign(server, {
    eval: own,
    displayPrompt: (preservesCursor?: boolean) => {
      above.show();
      displayPrompt(preservesCursor);
      lines?.next();
    },
    writer: (value: unknown) => show.call(server, awaited.whyInterrupted(value) ?? value),
  });
  server.prependListener("SIGINT", () => awaited.cancel("Ctrl-C"));
}

type Done = Parameters<REPLEval>[3];

/** What was thrown is told as ever, on stderr. */
function printed(done: Done): Done {
  return (error, value: unknown) => {
    if (error !== null) return done(error, undefined);
    if (value !== undefined) process.stdout.write(`${JSON.stringify(facts(value))}\n`);
    done(null, undefined);
  };
}

/** Lines of before come back with the arrow keys; the file is its owner's alone. */
function rememberLines(server: REPLServer): void {
  if (!server.terminal) return;
  const folder = stateDirectory();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  server.setupHistory(join(folder, "repl_history"), (error) => {
    if (error !== null) process.stderr.write(`The history is not kept: ${error.message}\n`);
  });
}
