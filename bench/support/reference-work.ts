/**
 * Work that is always the same, in ms: how much its times differ is how much the machine was disturbed. Measured once a
 * round, and shown beside the figures.
 */
export function referenceWork(): number {
  const begunAt = performance.now();
  let sum = 0;
  for (let at = 0; at < 20_000_000; at++) sum = (sum * 31 + at) % 1_000_003;
  return sum < 0 ? Number.NaN : performance.now() - begunAt;
}
