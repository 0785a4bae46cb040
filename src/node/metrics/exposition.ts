import type { Histogram } from "./histogram.ts";

export type Labels = Readonly<Record<string, string>>;

/** A metric and what it is now. */
export type Family = { readonly name: string; readonly help: string } & (
  | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly type: "histogram"; readonly samples: readonly { labels: Labels; value: Histogram }[] }
);

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Prometheus' text format. Not by prom-client: it brings `@opentelemetry/api` along, and the presence of that is how a
 * user says that calls are to be traced.
 */
export function exposition(families: readonly Family[]): string {
  return families
    .map(
      (family) =>
        `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n${linesOf(family)}`,
    )
    .join("");
}

function linesOf(family: Family): string {
  const { name } = family;
  if (family.type === "histogram")
    return family.samples.map(({ labels, value }) => histogramLines(name, labels, value)).join("");
  return family.samples.map(({ labels = {}, value }) => line(name, labels, value)).join("");
}

function histogramLines(name: string, labels: Labels, { buckets, count, sumSeconds }: Histogram): string {
  const bounds = buckets.map(([seconds, below]) =>
    line(`${name}_bucket`, { ...labels, le: String(seconds) }, below),
  );
  return [
    ...bounds,
    line(`${name}_bucket`, { ...labels, le: "+Inf" }, count),
    line(`${name}_sum`, labels, sumSeconds),
    line(`${name}_count`, labels, count),
  ].join("");
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
