import type { UnitRecord } from "../wire/units.ts";

/** What a stack that comes back may refer to: which function a unit's members were, and which files were named. */
export interface Shipped {
  readonly record: UnitRecord;
  readonly functions: readonly WeakRef<object>[];
}

const KEPT = 10_000;
const units = new Map<string, Shipped>();
const files = new Map<string, string>();

/** @param scriptId the script that V8 made of the file that the record names */
export function rememberUnit(
  hash: string,
  record: UnitRecord,
  functions: readonly object[],
  scriptId?: string,
): void {
  if (record.place !== undefined && scriptId !== undefined) rememberFile(record.place.url, scriptId);
  if (units.has(hash)) return;
  units.set(hash, { record, functions: functions.map((fn) => new WeakRef(fn)) });
  if (units.size > KEPT) units.delete(units.keys().next().value as string);
}

/** Frames in this file may be of code that was sent. It may have been run again since, so its latest script counts. */
export function rememberFile(url: string, scriptId: string): void {
  if (files.has(url) || files.size < KEPT) files.set(url, scriptId);
}

export function shippedUnit(hash: string): Shipped | undefined {
  return units.get(hash);
}

/** The script of a file of which functions were sent, so that frames in it may be theirs. */
export function shippedScript(url: string): string | undefined {
  return files.get(url);
}
