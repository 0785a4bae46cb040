import { encodeOutcome } from "../../codec/wire.ts";
import type { ErrorCode } from "../../core/errors.ts";

/** An outcome that the node itself makes: a {@link KitchenError} of this code where the caller awaits. */
export function errorOutcome(code: ErrorCode, message: string): Uint8Array {
  return encodeOutcome({
    type: "error",
    error: { name: "KitchenError", message, stack: "", code, detail: null, source: null },
  });
}
