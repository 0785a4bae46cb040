import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Api from "@opentelemetry/api";
import type { TraceContext } from "../core/trace.ts";
import { PACKAGE_VERSION } from "../core/version.ts";
import type { End, TrackedJob } from "./jobs/tracked-job.ts";

export type OpenTelemetry = typeof Api;

/** Where every copy of the API of this major version meets: there once somebody has set up tracing in the process. */
const GLOBAL = Symbol.for("opentelemetry.js.api.1");
let api: OpenTelemetry | null | undefined;

/**
 * The API of OpenTelemetry, when the program uses it; else `undefined`, for the price of a look at one property. It is
 * never loaded on behalf of this package alone.
 */
export function openTelemetry(): OpenTelemetry | undefined {
  if (!(GLOBAL in globalThis)) return undefined;
  if (api === undefined) api = load();
  return api ?? undefined;
}

export function tracerOf({ trace }: OpenTelemetry): Api.Tracer {
  return trace.getTracer("kitchensink", PACKAGE_VERSION);
}

/** This package's own, or else the program's. */
function load(): OpenTelemetry | null {
  for (const from of [import.meta.url, join(process.cwd(), "noop.js")]) {
    try {
      return createRequire(from)("@opentelemetry/api") as OpenTelemetry;
    } catch {
      // Not to be found from there.
    }
  }
  return null;
}

let surrounding: () => TraceContext | undefined = () => undefined;

/** Calls that a job makes belong to its trace, also where nobody records spans. */
export function setSurroundingTrace(find: () => TraceContext | undefined): void {
  surrounding = find;
}

/** A call's span, from `call()` to the job's end. */
export interface CallTrace {
  /** What goes along with the call. */
  readonly context: TraceContext | null;
  /** The call became this job, with which the span ends. */
  follow(job: Pick<TrackedJob, "id" | "ended">): void;
  /** The call was not made. */
  fail(error: unknown): void;
}

const UNTRACED: CallTrace = { context: null, follow: () => {}, fail: () => {} };

/** Begins the span of a call, as a child of the active one, if the program records spans. */
export function traceCall(label: string): CallTrace {
  const otel = openTelemetry();
  if (otel === undefined) {
    const context = surrounding();
    return context === undefined ? UNTRACED : { ...UNTRACED, context };
  }
  const { context, propagation, trace, SpanKind, SpanStatusCode } = otel;
  const span = tracerOf(otel).startSpan(`call ${label}`, {
    kind: SpanKind.PRODUCER,
    attributes: { "kitchensink.function": label },
  });
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(context.active(), span), carrier);
  const { traceparent, tracestate = "" } = carrier;
  const fail = (error: unknown): void => {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  const end = (last: End): void => {
    if (last.type === "failed") return fail(last.error);
    if (last.state !== "succeeded") span.setStatus({ code: SpanStatusCode.ERROR, message: last.state });
    span.end();
  };
  return {
    context: traceparent === undefined ? (surrounding() ?? null) : { traceparent, tracestate },
    follow: (job) => {
      span.setAttribute("kitchensink.job.id", job.id);
      void job.ended.then(end);
    },
    fail,
  };
}
