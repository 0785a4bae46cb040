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

/** A count in a body of JSON. @throws KitchenError `KS_BAD_REQUEST` for anything but a whole number from `least` on */
export function countIn(body: Readonly<Record<string, unknown>>, key: string, least: 0 | 1): number {
  const value = body[key];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw new KitchenError(
    "KS_BAD_REQUEST",
    `The body has no ${key}: expected a whole number from ${least} on`,
  );
}
