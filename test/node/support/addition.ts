import { encodeSpec } from "../../../src/codec/wire.ts";
import type { JobSpec } from "../../../src/core/messages.ts";
import { bytes } from "../../store/support/harness.ts";

/** What a call of `test.add` with 1 and 2 asks for, in JSON. */
export function additionSpec(options: Partial<JobSpec> = {}): Buffer {
  return encodeSpec({
    namespace: "test",
    name: "add",
    label: "test.add",
    units: [],
    codec: "json",
    fn: null,
    args: bytes("[1, 2]"),
    timeoutMs: 0,
    retries: 0,
    streamsOutput: false,
    retryDelayMs: 0,
    ttlMs: 0,
    isIdempotent: true,
    after: [],
    trace: null,
    ...options,
  });
}
