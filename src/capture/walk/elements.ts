import { inspect } from "node:util";

const FEW = 64;
const SUMMARY = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity } as const;
/** `Uint8Array(100) [ ... 100 more items ]`, and nothing behind the items. */
const ELEMENTS_ALONE = /\[ \.\.\. \d+ more items? \]$/;

/**
 * Whether a typed array or Buffer has no properties beside its elements. Listing its keys would take a second for a few
 * million elements; its summary takes microseconds whatever its length.
 */
export function hasOnlyElements(view: ArrayBufferView): boolean {
  const length = "length" in view && typeof view.length === "number" ? view.length : 0;
  return length <= FEW
    ? Reflect.ownKeys(view).length === length
    : ELEMENTS_ALONE.test(inspect(view, SUMMARY));
}
