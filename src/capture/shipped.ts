import type { UnitRecord } from "./units.ts";

/** What a stack that comes back may refer to: which function a unit's members were, and which files were named. */
export interface Shipped {
  readonly record: UnitRecord;
  readonly functions: readonly WeakRef<object>[];
}

const KEPT = 10_000;
const units = new Map<string, Shipped>();
const files = new Set<string>();

export function rememberUnit(hash: string, record: UnitRecord, functions: readonly object[]): void {
  if (units.has(hash)) return;
  units.set(hash, { record, functions: functions.map((fn) => new WeakRef(fn)) });
  if (units.size > KEPT) units.delete(units.keys().next().value as string);
  if (record.place !== undefined) rememberFile(record.place.url);
}

/** Frames in this file may be of code that was sent. */
export function rememberFile(url: string): void {
  if (files.size < KEPT) files.add(url);
}

export function shippedUnit(hash: string): Shipped | undefined {
  return units.get(hash);
}

/** Tells whether functions of this file were sent, so that frames in it may be theirs. */
export function isShippedFile(url: string): boolean {
  return files.has(url);
}
