import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Lane } from "../../src/core/activity.ts";
import { colorOf } from "./colors.ts";
import { duration, shortId } from "./format.ts";
import { useModel } from "./hooks.ts";
import type { Bar, Model } from "./model.ts";
import { styleColor } from "./theme.ts";

const WINDOWS_S = [10, 30, 120] as const;
const ROW_PX = 20;
const GAP_PX = 3;
const AXIS_PX = 18;
const FRAME_MS = 50;
const CALM_MS = 1_000;
const ROWS_OF_TABLE = 50;

interface Row {
  readonly key: string;
  readonly label: string;
}

interface Drawn {
  readonly label: string;
  readonly id: string;
  readonly lane: Lane;
  readonly begunAtMs: number;
  /** `undefined`: it goes on. */
  readonly endedAtMs: number | undefined;
  readonly end: string;
}

/** What each worker ran when: a bar for each run, colored by what it is called. */
export function RunStream({ model }: { readonly model: Model }): JSX.Element {
  const [seconds, setSeconds] = useState<number>(30);
  useModel(model);
  const bars = model.bars.slice(-ROWS_OF_TABLE).toReversed();
  return (
    <section class="panel wide">
      <div class="bar">
        <h2>Runs by worker</h2>
        <label>
          <span class="hidden">Span of time</span>
          <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {WINDOWS_S.map((value) => (
              <option key={value} value={value}>
                {value} s
              </option>
            ))}
          </select>
        </label>
      </div>
      <Canvas model={model} seconds={seconds} />
      <Labels model={model} />
      <details>
        <summary>The last {bars.length} runs as a table</summary>
        <RunTable bars={bars} />
      </details>
    </section>
  );
}

function Labels({ model }: { readonly model: Model }): JSX.Element {
  const labels = [...new Set(model.bars.slice(-500).map(({ label }) => label))].slice(-12).toSorted();
  return (
    <p class="legend">
      {labels.map((label) => (
        <span key={label}>
          <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
            <rect width="10" height="10" rx="2" fill={colorOf(label)} />
          </svg>{" "}
          {label}
        </span>
      ))}
      {labels.length === 0 ? <span>No run has ended yet.</span> : null}
      {model.skipped > 0 ? (
        <span>{model.skipped.toLocaleString("en")} more runs are only counted</span>
      ) : null}
    </p>
  );
}

function RunTable({ bars }: { readonly bars: readonly Bar[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="The last runs">
      <table>
        <thead>
          <tr>
            <th>Function</th>
            <th>Job</th>
            <th>Worker</th>
            <th class="number">Took</th>
            <th>End</th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar) => (
            <tr key={`${bar.node} ${bar.seq}`}>
              <td>{bar.label}</td>
              <td>{bar.lane === "queue" ? <a href={`#/jobs/${bar.id}`}>{shortId(bar.id)}</a> : "instant"}</td>
              <td>{`${bar.node} ${bar.lane} ${bar.slot}`}</td>
              <td class="number">{bar.begunAtMs === null ? "–" : duration(bar.endedAtMs - bar.begunAtMs)}</td>
              <td>{bar.end === "queued" ? "back to its queue" : bar.end}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A picture for those who see; the table beside it has the same for all. */
function Canvas({ model, seconds }: { readonly model: Model; readonly seconds: number }): JSX.Element {
  const place = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState<Drawn>();
  const rows = rowsOf(model);
  const height = Math.max(1, rows.length) * (ROW_PX + GAP_PX) + AXIS_PX;
  useEffect(() => {
    const canvas = place.current;
    if (canvas === null) return undefined;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const paint = (): void => {
      if (!document.hidden) drawBars(canvas, model, seconds);
    };
    paint();
    const timer = setInterval(() => requestAnimationFrame(paint), isCalm ? CALM_MS : FRAME_MS);
    return () => clearInterval(timer);
  }, [model, seconds]);
  const find = (event: MouseEvent): Drawn | undefined =>
    place.current === null ? undefined : barAt(place.current, event, model, seconds);
  return (
    <div class="stream">
      <canvas
        ref={place}
        height={height}
        data-height={height}
        role="img"
        aria-label={`Runs of ${rows.length} workers in the last ${seconds} seconds; the table below has them as text`}
        onMouseMove={(event) => setUnder(find(event))}
        onMouseLeave={() => setUnder(undefined)}
        onClick={(event) => {
          const bar = find(event);
          // An instant call is no job: there is no more to see of it.
          if (bar?.lane === "queue") location.hash = `#/jobs/${bar.id}`;
        }}
      />
      <p class="under">{under === undefined ? " " : `${under.label} · ${describe(under)}`}</p>
    </div>
  );
}

function describe({ id, lane, begunAtMs, endedAtMs, end }: Drawn): string {
  return `${lane === "queue" ? shortId(id) : "instant"} · ${duration((endedAtMs ?? Date.now()) - begunAtMs)} · ${end}`;
}

function rowsOf({ status }: Model): Row[] {
  return (status?.nodes ?? []).flatMap(({ name, status: own }) =>
    (own?.workers ?? []).map(({ lane, slot }) => ({
      key: `${name} ${lane} ${slot}`,
      label: `${name} ${lane === "instant" ? "instant " : ""}${slot}`,
    })),
  );
}

/** What each row has, those that go on among it. */
function barsOf(model: Model, sinceMs: number): Map<string, Drawn[]> {
  const found = new Map<string, Drawn[]>();
  const add = (key: string, bar: Drawn): void => {
    const list = found.get(key);
    if (list === undefined) found.set(key, [bar]);
    else list.push(bar);
  };
  for (const { node, lane, slot, label, id, begunAtMs, endedAtMs, end } of model.bars)
    if (begunAtMs !== null && endedAtMs > sinceMs)
      add(`${node} ${lane} ${slot}`, { label, id, lane, begunAtMs, endedAtMs, end });
  for (const { name, status } of model.status?.nodes ?? [])
    for (const { lane, slot, run } of status?.workers ?? [])
      if (run !== null) {
        const begunAtMs = run.begunAtMs + (model.offsets.get(name) ?? 0);
        add(`${name} ${lane} ${slot}`, { ...run, lane, begunAtMs, endedAtMs: undefined, end: "running" });
      }
  return found;
}

const labelWidth = (width: number): number => Math.min(130, width * 0.3);

function drawBars(canvas: HTMLCanvasElement, model: Model, seconds: number): void {
  const [scale, width, height] = [devicePixelRatio, canvas.clientWidth, Number(canvas.dataset["height"])];
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "11px system-ui";
  pen.textBaseline = "middle";
  const left = labelWidth(width);
  const [nowMs, sinceMs] = [Date.now(), Date.now() - seconds * 1_000];
  const x = (ms: number): number =>
    left + ((Math.max(ms, sinceMs) - sinceMs) / (nowMs - sinceMs)) * (width - left);
  const bars = barsOf(model, sinceMs);
  const [text, track, failed] = (["--muted", "--track", "--failed"] as const).map(styleColor);
  rowsOf(model).forEach(({ key, label }, at) => {
    const top = at * (ROW_PX + GAP_PX);
    pen.fillStyle = text ?? "";
    pen.fillText(label, 0, top + ROW_PX / 2, left - 8);
    pen.fillStyle = track ?? "";
    pen.fillRect(left, top, width - left, ROW_PX);
    for (const { label: name, begunAtMs, endedAtMs, end } of bars.get(key) ?? []) {
      const [from, to] = [x(begunAtMs), x(endedAtMs ?? nowMs)];
      pen.fillStyle = colorOf(name);
      pen.globalAlpha = endedAtMs === undefined ? 0.6 : 1;
      pen.fillRect(from, top, Math.max(1, to - from), ROW_PX);
      pen.globalAlpha = 1;
      if (end === "succeeded" || end === "running") continue;
      // Not by color alone: a foot shows what did not succeed.
      pen.fillStyle = failed ?? "";
      pen.fillRect(from, top + ROW_PX - 5, Math.max(3, to - from), 5);
    }
  });
  pen.fillStyle = text ?? "";
  pen.fillText(`−${seconds} s`, left, height - AXIS_PX / 2);
  pen.textAlign = "right";
  pen.fillText("now", width, height - AXIS_PX / 2);
  pen.textAlign = "left";
}

function barAt(
  canvas: HTMLCanvasElement,
  event: MouseEvent,
  model: Model,
  seconds: number,
): Drawn | undefined {
  const box = canvas.getBoundingClientRect();
  const left = labelWidth(box.width);
  const row = rowsOf(model)[Math.floor((event.clientY - box.top) / (ROW_PX + GAP_PX))];
  const span = seconds * 1_000;
  const atMs = Date.now() - span + ((event.clientX - box.left - left) / (box.width - left)) * span;
  const slackMs = (2 * span) / (box.width - left);
  return barsOf(model, Date.now() - span)
    .get(row?.key ?? "")
    ?.findLast(
      ({ begunAtMs, endedAtMs }) => begunAtMs - slackMs <= atMs && atMs <= (endedAtMs ?? Infinity) + slackMs,
    );
}
