import { parseOutcome } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { NamespaceInfo, WireError } from "../../core/messages.ts";
import type { TraceContext } from "../../core/trace.ts";
import type { InstantLane } from "../lanes/instant-lane.ts";
import type { Streams } from "../streams/streams.ts";
import type { Submissions } from "../jobs/submissions.ts";
import { encodeError, encodeRefusal, encodeResult, functionOf, type RpcRequest } from "./jsonrpc.ts";
import { problemOf } from "./problems.ts";
import { encodeRegisteredCall, runInstantly } from "./registered-call.ts";

export interface JsonRpcCallsOptions {
  readonly lane: InstantLane;
  readonly streams: Streams;
  readonly submissions: Submissions;
  readonly newJobId: () => JobId;
  /** What is registered now. */
  readonly namespaces: () => readonly NamespaceInfo[];
}

/** Whose request it is. */
export interface Caller {
  readonly trace: TraceContext | null;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

type Result = { readonly bytes: Uint8Array } | { readonly error: Omit<WireError, "detail" | "source"> };

/** Runs the requests of JSON-RPC as instant calls. */
export class JsonRpcCalls {
  readonly #options: JsonRpcCallsOptions;

  constructor(options: JsonRpcCallsOptions) {
    this.#options = options;
  }

  /** The answer; `undefined` for a notification, which goes on when its caller has gone. Never throws. */
  async answer(request: RpcRequest, { signal, trace }: Caller): Promise<Buffer | undefined> {
    const { id } = request;
    if ("refusal" in request) return encodeRefusal(request.id, request.refusal);
    const caller = { trace, signal: id === undefined ? undefined : signal };
    const result = await this.#run(request, caller).catch(failed);
    if (id === undefined) return undefined;
    return "error" in result ? encodeError(id, result.error) : encodeResult(id, result.bytes);
  }

  async #run(
    { method, params }: Exclude<RpcRequest, { refusal: string }>,
    { signal, trace }: Pick<Caller, "trace"> & { readonly signal: AbortSignal | undefined },
  ): Promise<Result> {
    const { lane, submissions, newJobId, namespaces } = this.#options;
    const specBytes = encodeRegisteredCall({ ...functionOf(method, namespaces()), args: params, trace });
    const spec = submissions.check(specBytes);
    const id = newJobId();
    let isStreamed = false;
    const onStreaming = (): void => {
      isStreamed = true;
      this.#endStream(id);
    };
    const end = await runInstantly(lane, { id, spec, specBytes, onStreaming, ...(signal && { signal }) });
    if (end.type === "not-begun")
      throw new KitchenError("KS_UNAVAILABLE", "The node is leaving: call another one");
    const outcome = parseOutcome(end.outcome);
    if (outcome.type === "error") return { error: outcome.error };
    if (isStreamed) this.#endStream(id);
    if (outcome.type !== "value")
      throw new KitchenError(
        "KS_UNSUPPORTED",
        `Cannot answer with ${method}: it gives a stream; POST it to /rpc/`,
      );
    return outcome;
  }

  /** Nobody will read it: an answer of JSON-RPC is one value. */
  #endStream(id: JobId): void {
    void this.#options.streams.find(id, 0)?.read({ from: 0, waitMs: 0, isOver: true });
  }
}

function failed(error: unknown): Result {
  const { code = null, detail } = problemOf(error);
  return { error: { name: "KitchenError", message: detail, code, stack: "" } };
}
