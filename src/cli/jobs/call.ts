import type { Client } from "../../client/client.ts";
import type { Job } from "../../client/jobs/job.ts";
import type { ClientOptions } from "../../client/options.ts";
import { KitchenError } from "../../core/errors.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type Session, type SessionFlags } from "../session.ts";
import { duration } from "../start-options.ts";
import { ownLines } from "./own-lines.ts";
import { showEnd } from "./show-end.ts";

export interface CallFlags extends SessionFlags {
  readonly namespace?: string;
  readonly instant: boolean;
  readonly queue?: string;
  readonly node?: string;
  readonly timeout?: string;
  readonly detach: boolean;
}

interface CallRequest extends CallFlags {
  readonly name: string;
  readonly args: readonly string[];
}

const CANCEL_REASON = "Ctrl-C";

/** `kitchensink call` */
export async function callFunction(request: CallRequest): Promise<void> {
  checkFlags(request);
  const { namespace, name } = calleeOf(request);
  const args = request.args.map(parseArgument);
  const output = outputFor(request);
  const options = { ...optionsOf(request), rpcName: namespace, output };
  await inSession(request, async (session) => {
    const job = session.client.with(options).call(name, ...args);
    return request.detach ? await detached(job, session) : await awaited(job, session);
  });
}

/** @throws KitchenError `KS_USAGE` for flags that exclude each other */
function checkFlags({ instant, detach, queue, node }: CallFlags): void {
  const other = detach ? "--detach" : queue !== undefined ? "--queue" : node !== undefined ? "--node" : "";
  if (instant && other !== "")
    throw new KitchenError(
      "KS_USAGE",
      `Cannot take both --instant and ${other}: an instant call runs at once, on the node that is asked, and is not stored`,
    );
}

/** `test.add` is `add` in the namespace `test`. */
function calleeOf({ name, namespace }: CallRequest): { namespace: string; name: string } {
  const dot = name.indexOf(".");
  if (namespace !== undefined || dot < 0) return { namespace: namespace ?? "default", name };
  return { namespace: name.slice(0, dot), name: name.slice(dot + 1) };
}

/** @throws KitchenError `KS_USAGE` for what is no JSON */
function parseArgument(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const quoted = `'${JSON.stringify(text).replaceAll("'", `'\\''`)}'`;
    throw new KitchenError(
      "KS_USAGE",
      `Not JSON: ${text} (arguments are JSON; as a text it would be ${quoted})`,
      { cause },
    );
  }
}

function optionsOf({ instant, queue, node, timeout }: CallFlags): ClientOptions {
  return {
    async: !instant,
    ...(queue === undefined ? {} : { queue }),
    ...(node === undefined ? {} : { node }),
    ...(timeout === undefined ? {} : { timeoutMs: duration("--timeout", timeout) }),
  };
}

/** With `--json` stdout is for the result alone. */
function outputFor({ json, detach }: CallFlags): NonNullable<ClientOptions["output"]> {
  if (detach) return "off";
  return json ? { stdout: process.stderr, stderr: process.stderr } : ownLines;
}

/** Prints the id as soon as the node has the job, and on stderr why nobody begins it, if that is so. */
async function detached(job: Job<unknown>, { tell }: Session): Promise<number> {
  try {
    await job.status();
  } catch (error) {
    // Why the node did not take it says more than that it does not have it.
    if (error instanceof KitchenError && error.code === "KS_NO_SUCH_JOB") await job;
    throw error;
  }
  await tell(`${job.id}\n`, [{ id: job.id }]);
  const { state, isServed, why } = await job.explain();
  if (state === "queued" && !isServed) note(why.replace(/^it/, "The job"));
  return EXIT.done;
}

/** Whoever interrupts the command does not want the job any more. */
async function awaited(job: ReturnType<Client["call"]>, session: Session): Promise<number> {
  const { signal } = session;
  signal.addEventListener("abort", () => void job.cancel(CANCEL_REASON).catch(() => {}), { once: true });
  return await showEnd(job, session);
}
