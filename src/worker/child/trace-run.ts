import { type OpenTelemetry, openTelemetry, tracerOf } from "../../client/tracing.ts";
import { timeOfJob, type JobId } from "../../core/ids.ts";
import type { JobSpec } from "../../core/messages.ts";

export interface TracedRun {
  readonly id: JobId;
  readonly attempt: number;
  /** It waited in a queue. */
  readonly isQueued: boolean;
}

/**
 * Runs a job's function within spans of the call's trace, if the worker's program records spans: its wait, and its run,
 * which is the parent of whatever the function records.
 */
export function traceRun<T>(spec: JobSpec, run: TracedRun, body: () => Promise<T>): Promise<T> {
  const otel = openTelemetry();
  // Most runs: they need no promise more.
  return otel === undefined ? body() : recordRun(otel, spec, run, body);
}

async function recordRun<T>(
  otel: OpenTelemetry,
  { label, trace }: JobSpec,
  { id, attempt, isQueued }: TracedRun,
  body: () => Promise<T>,
): Promise<T> {
  const { context, propagation, trace: spans, SpanKind, SpanStatusCode } = otel;
  const parent = trace === null ? context.active() : propagation.extract(context.active(), trace);
  const tracer = tracerOf(otel);
  const attributes = {
    "kitchensink.job.id": id,
    "kitchensink.attempt": attempt,
    "kitchensink.function": label,
  };
  const calledAtMs = isQueued && attempt === 1 ? timeOfJob(id) : undefined;
  if (calledAtMs !== undefined)
    tracer.startSpan(`wait ${label}`, { startTime: calledAtMs, attributes }, parent).end();
  const span = tracer.startSpan(`run ${label}`, { kind: SpanKind.CONSUMER, attributes }, parent);
  try {
    return await context.with(spans.setSpan(parent, span), body);
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
