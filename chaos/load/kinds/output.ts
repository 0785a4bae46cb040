// Calls that print: each line once, in order, of the attempt that was committed; here while it runs, and in the log after.
import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "kitchensink";
import type { Seen } from "../../journal.ts";
import { begin } from "../mark.ts";
import { codeOf, type Caller, type Kind } from "../caller.ts";

/** What came of a job's two streams. */
type Texts = { stdout: string; stderr: string };

function printing(caller: Caller): void {
  const { log, dice } = caller;
  const lines = dice.chance(0.1) ? dice.whole(500, 3_000) : dice.whole(1, 20);
  const pauseMs = dice.chance(0.3) ? dice.whole(1, 20) : 0;
  const live: Texts = { stdout: "", stderr: "" };
  const job = caller.client.with({ output: sinksTo(live) }).call(async () => {
    const mark = begin(log);
    for (let line = 0; line < lines; line += 1) {
      console.log(`${mark.attempt} ${line}`);
      if (line % 3 === 0) console.error(`${mark.attempt} ${line}`);
      if (pauseMs > 0 && line < 20) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return { mark, value: lines };
  });
  caller.follow(job, { value: lines }, (seen) => check(caller, { job, lines, live, seen }));
}

function sinksTo(texts: Texts): {
  stdout: { write(bytes: Uint8Array): void };
  stderr: { write(bytes: Uint8Array): void };
} {
  const sink = (name: keyof Texts) => ({
    write: (bytes: Uint8Array): void => {
      texts[name] += Buffer.from(bytes).toString();
    },
  });
  return { stdout: sink("stdout"), stderr: sink("stderr") };
}

interface Printed {
  readonly job: Job<unknown>;
  readonly lines: number;
  readonly live: Texts;
  readonly seen: Seen;
}

async function check(caller: Caller, { job, lines, live, seen }: Printed): Promise<void> {
  if (seen.type !== "value") return;
  caller.count("outputs compared");
  compare(caller, job.id, { where: "live", texts: live, lines, attempt: seen.mark.attempt });
  if (!caller.dice.chance(0.3)) return;
  await sleep(caller.dice.whole(0, 5_000));
  const kept = await keptOutput(caller, job.id);
  if (kept === undefined) return;
  caller.count("outputs read again from the store");
  compare(caller, job.id, { where: "kept", texts: kept, lines, attempt: seen.mark.attempt });
}

/** Undefined when it cannot be had now. */
async function keptOutput(caller: Caller, id: string): Promise<Texts | undefined> {
  const texts: Texts = { stdout: "", stderr: "" };
  try {
    for await (const { stream, text } of caller.client.job(id).output()) texts[stream] += text;
    return texts;
  } catch (error) {
    caller.count(`outputs refused with ${codeOf(error) ?? String(error)}`);
    return undefined;
  }
}

interface Comparison {
  readonly where: string;
  readonly texts: Texts;
  readonly lines: number;
  readonly attempt: number;
}

function compare(caller: Caller, id: string, { where, texts, lines, attempt }: Comparison): void {
  for (const stream of ["stdout", "stderr"] as const) {
    const found = texts[stream].split("\n").filter((line) => line.startsWith(`${attempt} `));
    const wanted = Array.from({ length: lines }, (_, line) => line)
      .filter((line) => stream === "stdout" || line % 3 === 0)
      .map((line) => `${attempt} ${line}`);
    if (found.join("\n") !== wanted.join("\n"))
      caller.wrong("output", id, `${where} ${stream}: ${difference(found, wanted)}`);
  }
}

function difference(found: readonly string[], wanted: readonly string[]): string {
  const at = wanted.findIndex((line, index) => line !== found[index]);
  const place = at < 0 ? wanted.length : at;
  return `${found.length} lines of ${wanted.length}; from line ${place} on: ${found.slice(place, place + 5).join(", ")}`;
}

export const OUTPUT: readonly Kind[] = [{ name: "printing", weight: 100, begin: printing }];
