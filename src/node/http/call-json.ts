import { parseSpec } from "../../codec/wire.ts";
import type { Store } from "../../store/port.ts";

/** How large a call is, in bytes: from the envelope of its spec alone, as nodes do not decode what users encoded. */
export interface CallSizes {
  /** Of the arguments, as `codec` encoded them. */
  readonly argumentBytes: number;
  readonly codec: string;
  /** Of the captured function with its variables; `null` for a registered one. */
  readonly functionBytes: number | null;
  /** Of each of its code units; `null` for one that is not kept any more. */
  readonly unitBytes: readonly (number | null)[];
}

export async function callSizes(spec: Uint8Array, store: Pick<Store, "unitSizes">): Promise<CallSizes> {
  const { args, codec, fn, units } = parseSpec(spec);
  const sizes = units.length === 0 ? [] : await store.unitSizes(units);
  return {
    argumentBytes: args.length,
    codec,
    functionBytes: fn?.length ?? null,
    unitBytes: sizes.map((size) => size ?? null),
  };
}
