// Calls by plain HTTP: an id of one's own, submitted twice at once; and a call that is queued by its name.
import { MEDIA_TYPE, encodeSpec, encodeSubmission } from "../../../src/codec/wire.ts";
import { newJobId } from "../../../src/client/calls/new-job-id.ts";
import { UNANSWERED } from "../../journal.ts";
import type { Caller, Kind } from "../caller.ts";

const ANSWER_MS = 10_000;
const CLIENT = "chaos-duplicates";

/** The same id with the same contents is one job, however often it is submitted. */
function duplicate(caller: Caller): void {
  const id = newJobId();
  const value = caller.dice.whole(0, 1_000);
  caller.made(id, { value }, true);
  const body = submission(id, [caller.log, value, 0]);
  const twice = [0, 1].map(() => post(caller, "v1/jobs", body, { "content-type": MEDIA_TYPE }));
  caller.options.hold(
    Promise.all(twice).then((answers) => {
      if (answers.some((answer) => answer?.status === 202))
        caller.options.journal.write({ type: "taken", ids: [id] });
      for (const answer of answers)
        if (answer?.status === 409) caller.wrong("result", id, "a duplicate was taken for a conflict");
    }),
  );
}

function submission(id: ReturnType<typeof newJobId>, args: readonly unknown[]): Buffer {
  const spec = encodeSpec({
    namespace: "chaos",
    name: "echo",
    label: "chaos.echo",
    units: [],
    codec: "json",
    fn: null,
    args: Buffer.from(JSON.stringify(args)),
    timeoutMs: 0,
    retries: 0,
    streamsOutput: false,
    retryDelayMs: 0,
    ttlMs: 0,
    isIdempotent: true,
    after: [],
    trace: null,
  });
  const job = { id, queue: "default", priority: 0, spec, inputs: [] };
  return encodeSubmission({ client: CLIENT, units: new Map(), jobs: [job] });
}

/** `Prefer: respond-async`: the id comes with the answer, and without one nobody knows it. */
async function queuedByName(caller: Caller): Promise<void> {
  const body = JSON.stringify([caller.log, [20, 22]]);
  const headers = { "content-type": "application/json", prefer: "respond-async" };
  const answer = await post(caller, "rpc/chaos/sum", body, headers);
  const { id } = answer?.status === 202 ? await idIn(answer) : {};
  if (id === undefined) return caller.count(UNANSWERED);
  caller.made(id, { value: 42 }, true);
  caller.options.journal.write({ type: "taken", ids: [id] });
}

/** The rest of an answer may be lost too. */
async function idIn(answer: Response): Promise<{ readonly id?: string }> {
  return (await answer.json().catch(() => ({}))) as { id?: string };
}

/** Undefined when no answer came. */
async function post(
  { options: { url, token } }: Caller,
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<Response | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const authorization = `Bearer ${token}`;
  return await fetch(new URL(path, url), {
    method: "POST",
    body,
    headers: { ...headers, authorization },
    signal,
  }).catch(() => undefined);
}

export const HTTP: readonly Kind[] = [
  { name: "duplicate", weight: 25, begin: duplicate },
  { name: "queued by name", weight: 25, begin: queuedByName },
];
