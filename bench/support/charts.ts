// Draws the charts of docs/benchmarks.md as SVG files, without a browser.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as echarts from "echarts";

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

const FOLDER = new URL("../../docs/charts/", import.meta.url);
const WIDTH = 860;
const ROW_HEIGHT = 26;

/** Writes `docs/charts/<file>.svg`, and gives its path. */
export function drawLines({ x, y, lines, isLogX = false, isLogY = false, ...chart }: LineChart): string {
  return draw(chart, 420, {
    legend: { orient: "vertical", right: 30, top: "middle", data: lines.map(({ name }) => name) },
    grid: { left: 70, right: 240, top: 70, bottom: 50 },
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

/** Writes `docs/charts/<file>.svg`, and gives its path. */
export function drawBars({ x, rows, series, isStacked = false, isLog = false, ...chart }: BarChart): string {
  const height = 140 + rows.length * ROW_HEIGHT * (isStacked ? 1 : Math.max(1, series.length * 0.7));
  return draw(chart, height, {
    ...(series.length > 1 ? { legend: { bottom: 8, data: series.map(({ name }) => name) } } : {}),
    grid: { left: 230, right: 90, top: 60, bottom: series.length > 1 ? 75 : 50 },
    xAxis: { type: isLog ? "log" : "value", name: x, nameLocation: "middle", nameGap: 26 },
    yAxis: { type: "category", inverse: true, data: [...rows], axisTick: { show: false } },
    series: series.map(({ name, values }) => ({
      name,
      type: "bar",
      data: [...values],
      ...(isStacked ? { stack: "all" } : { label: { show: true, position: "right", fontSize: 11 } }),
    })),
  });
}

function draw({ file, title, subtitle }: Chart, height: number, option: echarts.EChartsCoreOption): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: {
      text: title,
      ...(subtitle === undefined ? {} : { subtext: subtitle }),
      left: "center",
      textStyle: { fontSize: 16 },
      subtextStyle: { fontSize: 10, width: WIDTH - 20, overflow: "break" },
    },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  mkdirSync(FOLDER, { recursive: true });
  const path = new URL(`${file}.svg`, FOLDER);
  writeFileSync(path, `${svg}\n`);
  return fileURLToPath(path);
}
