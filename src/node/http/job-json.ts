import { parseOutcome } from "../../codec/wire.ts";
import type { JobFacts, JobRecord } from "../../store/port.ts";

/** A job for people and programs without this project's client: the result is there when it is JSON. */
export function jobAsJson({ outcome, placement: _placement, ...facts }: JobRecord): string {
  const shown = JSON.stringify(factsAsJson(facts));
  const extra = outcome === undefined ? "" : outcomeAsJson(outcome);
  return extra === "" ? shown : `${shown.slice(0, -1)},${extra}}`;
}

/** The same without what came of it. */
export function factsAsJson(job: JobFacts): object {
  const { createdAtMs, startedAtMs, finishedAtMs, streams: _streams, ...facts } = job;
  return {
    ...facts,
    createdAt: isoTime(createdAtMs),
    startedAt: isoTime(startedAtMs),
    finishedAt: isoTime(finishedAtMs),
  };
}

function outcomeAsJson(bytes: Uint8Array): string {
  const outcome = parseOutcome(bytes);
  if (outcome.type === "error") {
    const { name, message, stack } = outcome.error;
    const [code, source] = [outcome.error.code ?? undefined, outcome.error.source ?? undefined];
    return `"error":${JSON.stringify({ name, message, code, stack, source })}`;
  }
  const codec = `"resultCodec":${JSON.stringify(outcome.codec)}`;
  if (outcome.type === "stored")
    return `${codec},"resultBytes":${outcome.size},"resultUrl":${JSON.stringify(`/v1/data/${outcome.url}`)}`;
  // Spliced in as it is: JSON that a worker wrote, which this process has no reason to decode.
  if (outcome.codec === "json") return `"result":${Buffer.from(outcome.bytes).toString("utf8") || "null"}`;
  return `${codec},"resultBytes":${outcome.bytes.length}`;
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
