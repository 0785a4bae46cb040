/** Traces with the SDK of OpenTelemetry on both sides. */
import { fileURLToPath } from "node:url";
import { context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const TRACED = fileURLToPath(new URL("./fixtures/traced.ts", import.meta.url));
const PLAIN = fileURLToPath(new URL("./fixtures/json-functions.ts", import.meta.url));
const exporter = new InMemorySpanExporter();
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ modules: [TRACED] });
});
afterAll(async () => {
  for (const part of [context, propagation, trace]) part.disable();
  await cluster.close();
});

/** As a program does that wants its calls traced. */
function record(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
}

interface Recorded {
  readonly name: string;
  readonly id: string;
  readonly parent?: string;
  readonly status: number;
  readonly events: readonly string[];
  readonly state?: string;
  readonly isTimed: boolean;
}

/** What the worker recorded: queued calls and instant ones have a worker each. */
async function recordedBy(lane: "queue" | "instant", traceId: string): Promise<readonly Recorded[]> {
  const c = cluster.client.with({ rpcName: "traced", async: lane === "queue" });
  return await c.call<readonly Recorded[]>("spans", traceId);
}

async function post(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<unknown> {
  const response = await fetch(`${cluster.urls[0]}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return await response.json();
}

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";
const traceparent = `00-${TRACE_ID}-${PARENT_ID}-01`;

test("without a trace a job has none, and with a header that is not well formed neither", async () => {
  expect(await cluster.client.with({ rpcName: "traced" }).call("work")).toBeUndefined();
  for (const wrong of ["nonsense", `00-${"0".repeat(32)}-${PARENT_ID}-01`, `ff-${TRACE_ID}-${PARENT_ID}-01`])
    expect(await post("rpc/traced/work", { traceparent: wrong }, [])).toBeNull();
});

test("the trace of a request by HTTP or JSON-RPC is that of its job", async () => {
  expect(await post("rpc/traced/work", { traceparent, tracestate: "vendor=1" }, [])).toBe(traceparent);
  const request = { jsonrpc: "2.0", id: 1, method: "traced.work" };
  expect(await post("jsonrpc", { traceparent }, request)).toMatchObject({ result: traceparent });
  const spans = await recordedBy("instant", TRACE_ID);
  const run = spans.find(({ name }) => name === "run traced.work");
  expect(run).toMatchObject({
    parent: PARENT_ID,
    state: "vendor=1",
    status: SpanStatusCode.UNSET,
    isTimed: true,
  });
  expect(spans.find(({ name }) => name === "inner")).toMatchObject({ parent: run?.id });
  expect(spans.map(({ name }) => name)).not.toContain("wait traced.work");
});

test("a queued request keeps its trace", async () => {
  const id = "1af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${id}-${PARENT_ID}-01`, prefer: "respond-async" };
  const { id: jobId } = (await post("rpc/traced/work", headers, [])) as { id: string };
  expect(await cluster.client.job(jobId)).toBe(headers.traceparent);
  const spans = await recordedBy("queue", id);
  expect(spans.map(({ name }) => name)).toEqual(["wait traced.work", "inner", "run traced.work"]);
});

test("calls that a job makes belong to its trace", async () => {
  const id = "2af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${id}-${PARENT_ID}-01`, prefer: "respond-async" };
  const { id: jobId } = (await post("rpc/traced/nested", headers, [])) as { id: string };
  const inner = String(await cluster.client.job(jobId));
  const outer = await recordedBy("queue", id);
  const run = outer.find(({ name }) => name === "run traced.nested");
  const call = outer.find(({ name }) => name === "call traced.work");
  expect(call?.parent).toBe(run?.id);
  expect(inner).toBe(`00-${id}-${call?.id}-01`);
});

test("a worker without OpenTelemetry passes traces on all the same", async () => {
  await using plain = await startCluster({ modules: [PLAIN] });
  const response = await fetch(`${plain.urls[0]}rpc/json/trace`, {
    method: "POST",
    headers: { authorization: `Bearer ${plain.token}`, "content-type": "application/json", traceparent },
    body: "[]",
  });
  expect(await response.json()).toEqual({ own: traceparent, ofCall: traceparent, isLoaded: false });
});

test("a call is a span from call() to its end, and the worker's spans are its children", async () => {
  record();
  const tracer = trace.getTracer("test");
  await tracer.startActiveSpan("program", async (program) => {
    const { traceId, spanId } = program.spanContext();
    const c = cluster.client.with({ rpcName: "traced" });
    await c.call("work");
    await expect(c.call("fail")).rejects.toThrow("too low");
    for await (const item of await c.call<Iterable<number>>("items")) expect(item).toBe(1);
    await c.with({ async: false }).call("work");
    program.end();
    await expect
      .poll(
        () => exporter.getFinishedSpans().filter((span) => span.parentSpanContext?.spanId === spanId).length,
      )
      .toBe(4);
    const calls = exporter.getFinishedSpans().filter((span) => span.parentSpanContext?.spanId === spanId);
    const [work, failing] = calls;
    expect(calls.map(({ name }) => name).toSorted()).toEqual([
      "call traced.fail",
      "call traced.items",
      "call traced.work",
      "call traced.work",
    ]);
    expect([work?.status.code, failing?.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
    expect(work?.attributes).toMatchObject({ "kitchensink.function": "traced.work" });
    const spans = await recordedBy("queue", traceId);
    const childrenOf = (id = ""): readonly string[] =>
      spans.filter(({ parent }) => parent === id).map(({ name }) => name);
    expect(childrenOf(work?.spanContext().spanId)).toEqual(["wait traced.work", "run traced.work"]);
    expect(spans.find(({ name }) => name === "run traced.fail")).toMatchObject({
      status: SpanStatusCode.ERROR,
      events: ["exception"],
    });
    expect(childrenOf(spans.find(({ name }) => name === "run traced.items")?.id)).toEqual(["inner"]);
  });
});

test("a call that cannot be made is a span with the reason", async () => {
  exporter.reset();
  expect(() => cluster.client.with({ codec: "json" }).call("work", () => 1)).toThrow("Cannot encode");
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({ name: "call default.work", status: { code: SpanStatusCode.ERROR } });
  const c = cluster.connect();
  const blocking = c.call(() => 1);
  expect(() => c.with({ async: false }).call("work", blocking)).toThrow("a job is among its arguments");
  await blocking;
  await c.close();
  expect(() => c.call("work")).toThrow("closed");
  const reasons = exporter.getFinishedSpans().filter(({ name }) => name === "call default.work");
  expect(reasons.map(({ events }) => events[0]?.attributes?.["exception.message"])).toEqual([
    expect.stringContaining("Cannot encode"),
    expect.stringContaining("a job is among its arguments"),
    expect.stringContaining("closed"),
  ]);
});

test("a span has the id of the call's job, of one that is made once too", async () => {
  exporter.reset();
  const c = cluster.client.with({ rpcName: "traced" });
  const jobs = [
    c.call("work"),
    c.with({ memoize: true }).call("work"),
    c.with({ async: false }).call("work"),
  ];
  await Promise.all(jobs);
  await expect.poll(() => exporter.getFinishedSpans()).toHaveLength(3);
  const ids = exporter.getFinishedSpans().map(({ attributes }) => attributes["kitchensink.job.id"]);
  expect(ids.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
});
