import { KitchenError } from "../../core/errors.ts";

/**
 * A count that came as text, in a query or a header; `undefined`: there is none.
 *
 * @param name what it is called there
 * @throws KitchenError `KS_BAD_REQUEST` for anything but a whole number from 0 on
 */
export function parseCount(name: string, text: string | string[] | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  const shown = JSON.stringify(String(text).slice(0, 100));
  throw new KitchenError(
    "KS_BAD_REQUEST",
    `Not a count: ${name} is ${shown} (expected a whole number from 0 on)`,
  );
}
