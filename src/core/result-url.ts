import { parseDataUrl, type DataUrl } from "./data-url.ts";
import { parseJobId, type JobId } from "./ids.ts";

/** Below it are results that are too large for the store; nobody else saves there. */
export const RESULTS = "kitchensink/results";

/** Under which data url an attempt's result is kept. */
export function resultUrl(id: JobId, attempt: number): DataUrl {
  return parseDataUrl(`${RESULTS}/${id}/${attempt}`);
}

/** Of which attempt a result is; `undefined`: it is none's. */
export function parseResultUrl(url: DataUrl): { readonly id: JobId; readonly attempt: number } | undefined {
  const [, id, attempt] = /^kitchensink\/results\/([0-9a-f-]{36})\/([1-9]\d{0,9})$/.exec(url) ?? [];
  try {
    return id === undefined ? undefined : { id: parseJobId(id), attempt: Number(attempt) };
  } catch {
    return undefined;
  }
}

export function isResultUrl(url: DataUrl): boolean {
  return url.startsWith(`${RESULTS}/`);
}

/** Whether nobody may save there: what would be in the way counts too. */
export function isReserved(url: string): boolean {
  return `${RESULTS}/`.startsWith(`${url}/`) || url.startsWith(`${RESULTS}/`);
}
