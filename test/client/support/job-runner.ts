import type { ServerResponse } from "node:http";
import { captureParts } from "../../../src/capture/capture.ts";
import { reviveParts } from "../../../src/capture/revive.ts";
import { bundle } from "../../../src/capture/wire/wire.ts";
import { codecNamed } from "../../../src/codec/codec.ts";
import { frame } from "../../../src/codec/frames.ts";
import { pack } from "../../../src/codec/pack.ts";
import { encodeClientEvent, encodeOutcome, parseSpec, parseSubmission } from "../../../src/codec/wire.ts";
import type { Outcome, SubmittedJob } from "../../../src/core/messages.ts";

type AnyFunction = (...args: unknown[]) => unknown;

/** What was submitted last: the data urls that each job came with. */
export const submittedInputs: (readonly string[])[] = [];

/** Takes a submission as a node does, and runs its jobs in this process, as a worker would. */
export async function runSubmission(
  body: Buffer,
  response: ServerResponse,
  events: () => ServerResponse | undefined,
): Promise<void> {
  const { jobs, units } = parseSubmission(body);
  response.writeHead(202, { "content-type": "application/vnd.kitchensink" }).end(pack(["missing", [], []]));
  const bytes = new Map<string, Uint8Array>(units);
  for (const job of jobs) {
    submittedInputs.push(job.inputs);
    const outcome = encodeOutcome(await run(job, (hash) => bytes.get(hash) ?? new Uint8Array()));
    events()?.write(
      frame(encodeClientEvent({ type: "finished", jobId: job.id, state: "succeeded", outcome })),
    );
  }
}

async function run({ spec }: SubmittedJob, unitBytes: (hash: string) => Uint8Array): Promise<Outcome> {
  const { fn, args, codec } = parseSpec(spec);
  const called = fn === null ? echo : (reviveParts(fn, unitBytes) as AnyFunction);
  const values = codec === "closure" ? reviveParts(args, unitBytes) : codecNamed(codec).decode(args);
  const result = await called(...(values as unknown[]));
  if (codec !== "closure") return { type: "value", codec, bytes: codecNamed(codec).encode(result, "result") };
  const { graph, units } = captureParts(result, { rootName: "result" });
  return { type: "value", codec, bytes: units.length === 0 ? graph : bundle(graph, units) };
}

/** The registered function, whatever its name. */
function echo(value: unknown): unknown {
  return value;
}
