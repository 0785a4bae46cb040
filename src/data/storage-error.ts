import { KitchenError, messageOf } from "../core/errors.ts";
import { ThreadError } from "./thread-error.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** What a failure of the disk or of the sources means for whoever asked. `what`: what could not be done. */
export function storageError(error: unknown, what: string): KitchenError {
  if (error instanceof KitchenError) return error;
  const { code, why } = reasonOf(error);
  if (FULL.has(code))
    return new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `${what}: the disk of the data directory is full (make room there)`,
      {
        cause: error,
      },
    );
  return new KitchenError("KS_DATA_UNAVAILABLE", `${what}: ${why}`, { cause: error });
}

function reasonOf(error: unknown): { code: string; why: string } {
  if (error instanceof ThreadError) {
    const { failure } = error;
    if (failure.type === "system") return { code: failure.code, why: failure.message };
    return { code: "", why: failure.type === "sources" ? failure.message : "it was stopped" };
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  return { code, why: messageOf(error) };
}

/** Tells whether an error says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(reasonOf(error).code);
}

/** For work that can wait until there is room. */
export function unlessFull(error: unknown): void {
  if (!isDiskFull(error)) throw error;
}
