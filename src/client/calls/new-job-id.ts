import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";
import { parseJobId, type JobId } from "../../core/ids.ts";

const ID_BYTES = 16;
// Asking for random bytes costs microseconds however few they are, so many ids share one call.
const pool = new Uint8Array(ID_BYTES * 512);
let used = pool.length;

/** A fresh job id: a UUIDv7, so ids made later sort later. */
export function newJobId(): JobId {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += ID_BYTES));
  return parseJobId(v7({ random }));
}
