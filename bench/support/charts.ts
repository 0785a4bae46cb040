// Draws the charts of docs/benchmarks.md as SVG files, without a browser.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as echarts from "echarts";

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  /** Of the file, without its ending. */
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Each step of an axis is ten times the last. Default: false. */
  readonly isLogX?: boolean;
}

const FOLDER = new URL("../../docs/charts/", import.meta.url);

/** Writes `docs/charts/<file>.svg`, and gives its path. */
export function drawLines({ file, title, x, y, lines, isLogX = false }: LineChart): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 860, height: 400 });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, left: "center", textStyle: { fontSize: 16 } },
    legend: { orient: "vertical", right: 30, top: "middle", data: lines.map(({ name }) => name) },
    grid: { left: 70, right: 240, top: 50, bottom: 50 },
    xAxis: { type: isLogX ? "log" : "value", name: x, nameLocation: "middle", nameGap: 28 },
    yAxis: { type: "value", name: y, nameLocation: "middle", nameGap: 48, min: 0 },
    series: lines.map(({ name, points }) => ({
      name,
      type: "line",
      data: points.map((point) => [...point]),
      symbolSize: 7,
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  mkdirSync(FOLDER, { recursive: true });
  const path = new URL(`${file}.svg`, FOLDER);
  writeFileSync(path, `${svg}\n`);
  return fileURLToPath(path);
}
