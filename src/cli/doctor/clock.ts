import ms from "ms";

/** Clocks that are so far apart show it to people. */
export const MUCH_MS = 5_000;
const LITTLE_MS = 1_000;

/** `within 1 s of`, `2 hours ahead of`, `7 seconds behind` */
export function showAhead(aheadMs: number): string {
  const distance = Math.abs(aheadMs);
  if (distance < LITTLE_MS) return "within 1 s of";
  return `${ms(distance, { long: true })} ${aheadMs > 0 ? "ahead of" : "behind"}`;
}
