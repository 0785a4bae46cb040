import ms from "ms";
import type { About } from "./finding.ts";

/** Clocks that are so far apart show it to people. */
const MUCH_MS = 5_000;
const LITTLE_MS = 1_000;

/** `within 1 s of`, `2 hours ahead of`, `7 seconds behind` */
function showAhead(aheadMs: number): string {
  const distance = Math.abs(aheadMs);
  if (distance < LITTLE_MS) return "within 1 s of";
  return `${ms(distance, { long: true })} ${aheadMs > 0 ? "ahead of" : "behind"}`;
}

/** Whether a clock is with that of the store. `aheadMs`: how far it is before it, in ms. */
export function checkClock(aheadMs: number, about: About): void {
  const message = `its clock is ${showAhead(aheadMs)} that of the store`;
  if (Math.abs(aheadMs) < MUCH_MS) about.ok("clock", message);
  else
    about.warning(
      "clock",
      message,
      "nothing depends on it but times that are shown; keep clocks together with NTP",
    );
}
