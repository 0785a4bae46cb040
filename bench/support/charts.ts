// Draws the charts of docs/benchmarks.md as SVG files, without a browser.
import * as echarts from "echarts";
import { figure, wrap } from "./table.ts";

interface Chart {
  /** Of the file, without its ending. */
  readonly file: string;
  readonly title: string;
  /** The machine, below the title. */
  readonly subtitle?: string;
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart extends Chart {
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Each step of the axis is ten times the last. Default: false. */
  readonly isLogX?: boolean;
  /** Default: false. */
  readonly isLogY?: boolean;
}

export interface BarChart extends Chart {
  /** What the bars' lengths are. */
  readonly x: string;
  /** Names of the rows, from top to bottom. */
  readonly rows: readonly string[];
  /** One value a row each. */
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** Series are parts of one whole, one behind the other. Default: side by side. */
  readonly isStacked?: boolean;
  /** Each step of the axis is ten times the last. Default: false. */
  readonly isLog?: boolean;
}

const WIDTH = 860;
const ROW_HEIGHT = 26;
/** Characters of the line below the title. */
const LINE = 140;
/** Room for the title and what stands below it. */
const TOP = 75;

/** The text of an SVG file. */
export function drawLines({ x, y, lines, isLogX = false, isLogY = false, ...chart }: LineChart): string {
  return draw(chart, 420, {
    legend: { orient: "vertical", right: 30, top: "middle", data: lines.map(({ name }) => name) },
    grid: { left: 70, right: 240, top: TOP, bottom: 50 },
    xAxis: { type: isLogX ? "log" : "value", name: x, nameLocation: "middle", nameGap: 28 },
    yAxis: {
      type: isLogY ? "log" : "value",
      name: y,
      nameLocation: "middle",
      nameGap: 48,
      ...(isLogY ? {} : { min: 0 }),
    },
    series: lines.map(({ name, points }) => ({
      name,
      type: "line",
      data: points.map((point) => [...point]),
      symbolSize: 7,
    })),
  });
}

/** The text of an SVG file. */
export function drawBars({ x, rows, series, isStacked = false, isLog = false, ...chart }: BarChart): string {
  const bars = isStacked ? 1 : Math.max(1, series.length * 0.7);
  const hasLegend = series.length > 1;
  // Bars of a logarithmic axis begin where it does, not at 1.
  const start = isLog ? decadeBelow(series.flatMap(({ values }) => values)) : 0;
  return draw(chart, 150 + rows.length * ROW_HEIGHT * bars, {
    ...(hasLegend ? { legend: { bottom: 8, itemGap: 40, data: series.map(({ name }) => name) } } : {}),
    grid: { left: widthOf(rows), right: 90, top: TOP, bottom: hasLegend ? 75 : 50 },
    xAxis: {
      type: isLog ? "log" : "value",
      min: start,
      startValue: start,
      name: x,
      nameLocation: "middle",
      nameGap: 26,
    },
    yAxis: { type: "category", inverse: true, data: [...rows], axisTick: { show: false } },
    series: series.map(({ name, values }) => ({
      name,
      type: "bar",
      data: [...values],
      ...(isStacked ? { stack: "all" } : { label: LABEL }),
    })),
  });
}

const LABEL = {
  show: true,
  position: "right",
  fontSize: 11,
  formatter: ({ value }: { value: number }): string => figure(value),
};

function decadeBelow(values: readonly number[]): number {
  return 10 ** Math.floor(Math.log10(Math.min(...values.filter((value) => value > 0))));
}

/** About that of the longest, in pixels: nothing measures text where there is no screen. */
function widthOf(texts: readonly string[]): number {
  return 20 + 7 * Math.max(...texts.map((text) => text.length));
}

function draw({ title, subtitle }: Chart, height: number, option: echarts.EChartsCoreOption): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: {
      text: title,
      ...(subtitle === undefined ? {} : { subtext: wrap(subtitle, LINE) }),
      left: "center",
      textStyle: { fontSize: 16 },
      subtextStyle: { fontSize: 10 },
    },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
