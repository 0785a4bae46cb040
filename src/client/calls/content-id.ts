import { createHash } from "node:crypto";
import { parseJobId, type JobId } from "../../core/ids.ts";

/** The id of a job that is known by what it does: a UUIDv8 of its contents, so that the same call is the same job. */
export function contentId(queue: string, spec: Uint8Array): JobId {
  const hash = createHash("sha256").update(queue).update("\0").update(spec).digest();
  hash[6] = 0x80 | (hash[6]! & 0x0f);
  hash[8] = 0x80 | (hash[8]! & 0x3f);
  const hex = hash.toString("hex");
  return parseJobId(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`,
  );
}
