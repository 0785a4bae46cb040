/** Where a call stands in a trace, as the W3C writes it (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  readonly traceparent: string;
  /** Empty when there is none. */
  readonly tracestate: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
/** What everybody has to pass on. */
const MOST_STATE = 512;

/** Of a request's headers; `null` when they have none that is well formed, which is no error. */
export function traceIn(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): TraceContext | null {
  const { traceparent, tracestate = "" } = headers;
  if (typeof traceparent !== "string" || traceparent.length > MOST_STATE || !TRACEPARENT.test(traceparent))
    return null;
  const state = typeof tracestate === "string" ? tracestate : tracestate.join(",");
  return { traceparent, tracestate: state.length > MOST_STATE ? "" : state };
}
