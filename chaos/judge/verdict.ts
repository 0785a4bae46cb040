// Pure: what is wrong with a job that has ended.
import { isDeepStrictEqual } from "node:util";
import { isEnd, shown, type Case, type Record } from "./case.ts";

export type Fault = "lost" | "committed twice" | "begun twice" | "begun after the commit" | "wrong result";

export interface Finding {
  readonly fault: Fault;
  readonly detail: string;
}

/** So many deaths, and one more, end a job. */
const DEATHS_BEFORE = 2;

/** Of a job whose final record is known. */
export function findingsOf(it: Case, record: Record): Finding[] {
  return [...ofCommits(it, record), ...ofAttempts(it, record), ...ofResults(it, record)];
}

/** Whoever sees the end, whenever and wherever, sees the same one. */
function ofCommits(it: Case, { state, error }: Record): Finding[] {
  // Who reads items sees how they end, which is not how the job does.
  const ends = it.expect.isStream === true ? [] : it.sightings.filter(isEnd);
  const findings: Finding[] = [];
  // A generator's items are not kept, as is said.
  if (
    it.expect.isStream !== true &&
    it.sightings.some(({ seen }) => seen.type === "error" && seen.code === "KS_STATE_LOST")
  )
    findings.push(finding("lost", "somebody was told KS_STATE_LOST"));
  const different = new Set(ends.map(({ seen }) => shown(seen)));
  if (different.size > 1) findings.push(finding("committed twice", [...different].join(" | ")));
  for (const { by, seen } of ends) {
    const isSame =
      seen.type === "error"
        ? state !== "succeeded" && seen.code === (error?.code ?? null)
        : state === "succeeded";
    if (!isSame)
      findings.push(
        finding("committed twice", `${by} saw ${shown(seen)}, the record says ${state} ${error?.code ?? ""}`),
      );
  }
  return findings;
}

/** A later attempt than the one that was committed can only have been claimed after the end. */
function ofAttempts(it: Case, { attempt }: Record): Finding[] {
  const attempts = it.begun.map((begun) => begun.attempt);
  const findings: Finding[] = [];
  if (new Set(attempts).size < attempts.length) findings.push(finding("begun twice", attempts.join(", ")));
  const late = attempts.filter((begun) => begun > attempt);
  if (late.length > 0)
    findings.push(
      finding("begun after the commit", `attempt ${attempt} was committed, ${late.join(", ")} began`),
    );
  return findings;
}

function ofResults(it: Case, record: Record): Finding[] {
  const why = wrongResult(it, record);
  return why === undefined ? [] : [finding("wrong result", why)];
}

/** Why it cannot have ended so; undefined when it can. */
export function wrongResult(it: Case, record: Record): string | undefined {
  return record.state === "succeeded" ? wrongValue(it, record) : wrongFailure(it, record);
}

function wrongValue(it: Case, { attempt }: Record): string | undefined {
  if (!("value" in it.expect) && it.expect.isStream !== true) return "it succeeded, and cannot have";
  for (const { by, seen } of it.sightings) {
    if (seen.type !== "value") continue;
    const { mark, value } = seen;
    if (!isDeepStrictEqual(value, it.expect.value))
      return `${by} saw ${JSON.stringify(value)?.slice(0, 200)}`;
    if (mark.id !== it.id || mark.attempt !== attempt) return `${by} saw the result of ${shown(seen)}`;
    if (!it.begun.some(({ nonce }) => nonce === mark.nonce))
      return `${by} saw a result of a run that never began`;
  }
  return undefined;
}

function wrongFailure({ expect }: Case, { state, error, deaths }: Record): string | undefined {
  const { codes = [], throws, mayBeCancelled = false, exits = false } = expect;
  const code = error?.code ?? "";
  if (state === "cancelled" && mayBeCancelled) return undefined;
  if (code === "KS_WORKER_LOST" && (exits || deaths >= DEATHS_BEFORE || expect.isStream === true))
    return undefined;
  if (codes.includes(code) || (code === "" && throws !== undefined && error?.name === throws))
    return undefined;
  return `it ended as ${state} with ${code || error?.name}, after ${deaths} deaths: ${error?.message}`;
}

function finding(fault: Fault, detail: string): Finding {
  return { fault, detail };
}
