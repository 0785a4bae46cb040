const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

/** `12 ms`, `3.4 s`, `5m 10s`, `2h 5m`, `3d 4h` */
export function showSpan(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 1_000) return `${Math.round(span)} ms`;
  if (span < 60_000) return `${(span / 1_000).toFixed(1)} s`;
  const at = UNITS.findIndex(([, unitMs]) => span >= unitMs);
  const [unit, unitMs] = UNITS[at] ?? UNITS[2];
  const [smaller, smallerMs] = UNITS[at + 1] ?? ["s", 1_000];
  return `${Math.floor(span / unitMs)}${unit} ${Math.floor((span % unitMs) / smallerMs)}${smaller}`;
}
