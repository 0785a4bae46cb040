const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/**
 * Bytes for people, in powers of ten and two digits or three.
 *
 * @example
 * ```ts
 * showBytes(1_100_000); // "1.1 MB"
 * ```
 */
export function showBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1_000;
    unit += 1;
  }
  const shown = unit > 0 && amount < 9.95 ? amount.toFixed(1).replace(/\.0$/, "") : amount.toFixed(0);
  return `${shown} ${UNITS[unit] ?? "B"}`;
}
