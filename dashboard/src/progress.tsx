import type { JSX } from "preact";
import type { Progress as JobProgress } from "../../src/core/progress.ts";

/** How far a job says that it is. */
export function Progress({ progress }: { readonly progress: JobProgress }): JSX.Element {
  const { done, total, label } = progress;
  const shown = total === null ? amount(done) : `${amount(done)} of ${amount(total)}`;
  // Without a value it is one of which nobody knows the end.
  const how = total === null || total === 0 ? {} : { value: Math.min(done, total), max: total };
  return (
    <span class="progress">
      <progress {...how} aria-label={label === "" ? "Progress" : label} aria-valuetext={shown} />
      <span>{label === "" ? shown : `${shown}, ${label}`}</span>
    </span>
  );
}

function amount(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}
