import { KitchenError } from "../core/errors.ts";
import { type Progress, progressOf } from "../core/progress.ts";
import type { Fields } from "./pack.ts";

/** Progress as fields of a message. */
export function progressFields({ done, total, label }: Progress): readonly unknown[] {
  return [done, total, label];
}

/** @throws KitchenError `KS_BAD_REQUEST` */
export function parseProgress(fields: Fields, at: number): Progress {
  const progress = progressOf(fields.raw(at), fields.raw(at + 1), fields.raw(at + 2));
  if (typeof progress !== "string") return progress;
  throw new KitchenError("KS_BAD_REQUEST", `Not progress: ${progress}`);
}
