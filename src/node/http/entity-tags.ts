const TAG = /(?:W\/)?("[^"]*")/g;

/**
 * Whether an If-None-Match header names what is here: by its tag, also in a list and as a weak one (RFC 9110, 13.1.2; caches
 * that compress make tags weak), or by `*`.
 *
 * @example
 * ```ts
 * namesTag('"a", W/"b"', '"b"'); // true
 * ```
 */
export function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || Array.from(header.matchAll(TAG), ([, tag]) => tag).includes(etag);
}
