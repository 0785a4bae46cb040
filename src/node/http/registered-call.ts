import { addAbortListener } from "node:events";
import { encodeSpec } from "../../codec/wire.ts";
import type { AttemptEnd } from "../../core/attempt.ts";
import type { JobId } from "../../core/ids.ts";
import type { JobSpec } from "../../core/messages.ts";
import type { TraceContext } from "../../core/trace.ts";
import type { InstantLane } from "../lanes/instant-lane.ts";

/** A call of a registered function by somebody who speaks JSON. */
export interface RegisteredCall {
  readonly namespace: string;
  readonly name: string;
  /** A JSON array, or an object with a member for each parameter; empty: no arguments. */
  readonly args: Uint8Array;
  /** The trace of the caller's request. */
  readonly trace: TraceContext | null;
}

/** The call as a {@link JobSpec} in bytes, for `Submissions.check` and what follows. */
export function encodeRegisteredCall({ namespace, name, args, trace }: RegisteredCall): Buffer {
  return encodeSpec({
    namespace,
    name,
    label: `${namespace}.${name}`,
    units: [],
    codec: "json",
    fn: null,
    args,
    timeoutMs: 0,
    retries: 0,
    streamsOutput: false,
    retryDelayMs: 0,
    ttlMs: 0,
    isIdempotent: true,
    after: [],
    trace,
  });
}

export interface InstantRun {
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly specBytes: Uint8Array;
  readonly onStreaming: () => void;
  /** Cancels the call when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Runs a call whose output nobody reads. @throws KitchenError as {@link InstantLane.run} */
export async function runInstantly(lane: InstantLane, run: InstantRun): Promise<AttemptEnd> {
  const { signal, ...call } = run;
  let listening: Disposable | undefined;
  const end = await new Promise<AttemptEnd>((onEnd) => {
    const running = lane.run({
      ...call,
      units: new Map(),
      onOutput: () => undefined,
      onProgress: () => undefined,
      onEnd,
    });
    if (signal !== undefined)
      listening = addAbortListener(signal, () => running.cancel(String(signal.reason)));
  });
  listening?.[Symbol.dispose]();
  return end;
}
