export function bytes(value: number | null): string {
  if (value === null) return "–";
  for (const [unit, size] of [
    ["GB", 1e9],
    ["MB", 1e6],
    ["kB", 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  return `${value} B`;
}

export function duration(ms: number): string {
  if (ms < 0.995) return `${(ms * 1_000).toFixed(0)} µs`;
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function rate(value: number): string {
  return value === 0 || value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function time(iso: string | undefined): string {
  return iso === undefined ? "–" : new Date(iso).toLocaleTimeString("en-GB");
}

/** Of a UUIDv7 the end differs, where the beginning is a time. */
export function shortId(id: string): string {
  return id.slice(-8);
}
