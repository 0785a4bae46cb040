import { KitchenError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

/** One line for what a person can mend; all there is for what only we can. */
export function errorText(error: unknown): string {
  const text =
    error instanceof KitchenError ? error.message : error instanceof Error ? error.stack : String(error);
  return (text ?? "").split("\n").map(printable).join("\n");
}
