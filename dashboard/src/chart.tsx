import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import type { Model, Series } from "./model.ts";
import { onThemeChange, styleColor } from "./theme.ts";

export interface ChartLine {
  readonly series: Series;
  readonly label: string;
  /** The style sheet's name of its color. */
  readonly color: "c1" | "c2" | "c3" | "failed";
}

export interface ChartProps {
  readonly model: Model;
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly show: (value: number) => string;
}

const HEIGHT_PX = 150;

/** Lines over the last minutes; their newest values stand beside the title as text. */
export function Chart({ model, title, lines, show }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(
    () => (place.current === null ? undefined : draw(place.current, { model, title, lines, show })),
    [model],
  );
  const newest = lines.map(({ series, label, color }) => ({
    label,
    color,
    value: model.series[series].at(-1) ?? null,
  }));
  return (
    <section class="panel">
      <h2>{title}</h2>
      <p class="legend">
        {newest.map(({ label, color, value }) => (
          <span key={label}>
            <i class={`swatch ${color}`} aria-hidden="true" /> {label}{" "}
            <b>{value === null ? "–" : show(value)}</b>
          </span>
        ))}
      </p>
      <div ref={place} class="chart" aria-hidden="true" />
    </section>
  );
}

function draw(place: HTMLElement, props: ChartProps): () => void {
  let chart = make(place, props);
  const stop = props.model.subscribe(() => chart.setData(dataOf(props)));
  const stopTheme = onThemeChange(() => {
    chart.destroy();
    chart = make(place, props);
  });
  const resized = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT_PX }));
  resized.observe(place);
  return () => {
    stop();
    stopTheme();
    resized.disconnect();
    chart.destroy();
  };
}

function dataOf({ model, lines }: ChartProps): UPlot.AlignedData {
  return [model.series.at, ...lines.map(({ series }) => model.series[series])] as UPlot.AlignedData;
}

function make(place: HTMLElement, props: ChartProps): UPlot {
  const [text, grid] = [styleColor("--muted"), styleColor("--line")];
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return new UPlot(
    {
      width: place.clientWidth || 300,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: { y: { range: (_chart, _least, most) => [0, Math.max(most * 1.1, 1)] } },
      axes: [
        { ...axis, size: 24, space: 70, values: (_chart, at) => at.map(clock) },
        { ...axis, size: 56, space: 26, values: (_chart, values) => values.map(props.show) },
      ],
      series: [
        {},
        ...props.lines.map(({ label, color }) => ({
          label,
          stroke: styleColor(`--${color}`),
          width: 1.8,
          spanGaps: true,
          points: { show: false },
        })),
      ],
    },
    dataOf(props),
    place,
  );
}

function clock(at: number): string {
  return new Date(at * 1_000).toLocaleTimeString("en-GB");
}
