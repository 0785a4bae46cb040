import { setTimeout as pause } from "node:timers/promises";
import type { DataAccess } from "../../client/remote-data/data-access.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { StoredOutcome } from "../../core/messages.ts";
import { resultUrl } from "../../core/result-url.ts";
import { showBytes } from "../../core/show-bytes.ts";
import type { CurrentJob } from "./current-job.ts";
import type { KeptResult } from "./run-job.ts";

/** A store that is away for a moment must not cost a job its result. */
const RETRY_MS = 500;
const TRIES = 20;

/** Keeps a result as data of the cluster, where this worker's node keeps data. @throws KitchenError with what stands in the way */
export async function keepResult(
  access: DataAccess,
  { id, attempt, signal }: CurrentJob,
  { codec, bytes, isEnded }: KeptResult,
): Promise<StoredOutcome> {
  const url = resultUrl(id, attempt);
  const content = { type: "bytes", bytes } as const;
  for (let tries = 1; ; tries += 1) {
    try {
      const { size, sha256 } = await access.save(content, { url, codec, type: "object", signal });
      return { type: "stored", codec, url, size, sha256, isEnded };
    } catch (error) {
      signal.throwIfAborted();
      const mayPass = error instanceof KitchenError && error.code === "KS_UNAVAILABLE";
      if (!mayPass || tries === TRIES) throw cannotKeep(bytes.length, error);
      await pause(RETRY_MS, undefined, { signal });
    }
  }
}

function cannotKeep(size: number, cause: unknown): KitchenError {
  const code = cause instanceof KitchenError ? cause.code : "KS_DATA_UNAVAILABLE";
  const message = `Cannot keep the result of ${showBytes(size)}: ${messageOf(cause)}`;
  return new KitchenError(code, message, { cause });
}
