import type { MultiBar, Options, Params, SingleBar } from "cli-progress";
import { showBytes } from "../../core/show-bytes.ts";

/** How far one of several transfers is. */
export interface Step {
  readonly label: string;
  /** What is done now, where a transfer is more than one thing. Each has its own speed. */
  readonly phase?: string | undefined;
  readonly bytes: number;
  /** Undefined when nobody knows. */
  readonly totalBytes?: number | undefined;
}

/** Shows transfers while they go on. */
export interface Progress {
  show(step: Step): void;
  /** Takes away what is shown. */
  stop(): void;
}

export interface ProgressOptions {
  readonly stream?: NodeJS.WriteStream | undefined;
  readonly now?: (() => number) | undefined;
}

const LINE_EVERY_MS = 5_000;

/** Runs `work` with its progress on stderr: bars on a terminal; elsewhere a line now and then, if it takes long. */
export async function withProgress<T>(
  work: (progress: Progress) => Promise<T>,
  options: ProgressOptions = {},
): Promise<T> {
  const progress = await openProgress(options);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}

async function openProgress({ stream = process.stderr, now = Date.now }: ProgressOptions): Promise<Progress> {
  if (!stream.isTTY || process.env["TERM"] === "dumb") return lines(stream, now);
  const { default: library } = await import("cli-progress");
  const bars = new library.MultiBar({
    stream,
    format: (_options: Options, { maxWidth }: Params, { step, sinceMs }: Drawn) =>
      barLine(step, { elapsedMs: now() - sinceMs, width: maxWidth }),
    clearOnComplete: true,
    hideCursor: true,
    // Ctrl-C aborts the transfer, which stops the bars.
    gracefulExit: false,
  });
  return drawn(bars, now);
}

interface Drawn {
  readonly step: Step;
  /** Since when it has been in its phase. */
  readonly sinceMs: number;
}

function drawn(bars: MultiBar, now: () => number): Progress {
  const known = new Map<string, { readonly bar: SingleBar; last: Drawn }>();
  return {
    show(step) {
      const one = known.get(step.label);
      const isSame = one !== undefined && one.last.step.phase === step.phase;
      const last: Drawn = { step, sinceMs: isSame ? one.last.sinceMs : now() };
      if (one === undefined)
        known.set(step.label, { bar: bars.create(step.totalBytes ?? 0, step.bytes, last), last });
      else one.bar.update(step.bytes, (one.last = last));
    },
    stop() {
      if (known.size > 0) bars.stop();
    },
  };
}

function lines(stream: NodeJS.WriteStream, now: () => number): Progress {
  let saidAtMs = now();
  return {
    show(step) {
      if (now() - saidAtMs < LINE_EVERY_MS) return;
      saidAtMs = now();
      stream.write(`${nameOf(step)}  ${amount(step)}\n`);
    },
    stop() {},
  };
}

const WIDEST_BAR = 40;
const NARROWEST_BAR = 5;

/** One line of less than `width` columns; the bar is what is left of it. */
export function barLine(
  step: Step,
  { elapsedMs, width }: { readonly elapsedMs: number; readonly width: number },
): string {
  const { bytes, totalBytes } = step;
  const bytesPerSecond = elapsedMs > 0 ? (bytes / elapsedMs) * 1_000 : 0;
  const name = nameOf(step);
  const facts = [amount(step), `${showBytes(bytesPerSecond)}/s`];
  if (totalBytes === undefined) return fitted(`${name}  ${facts.join("  ")}`, width);
  if (bytesPerSecond > 0) facts.push(`${showTime((totalBytes - bytes) / bytesPerSecond)} left`);
  const text = facts.join("  ");
  const barWidth = Math.min(WIDEST_BAR, width - name.length - text.length - 7);
  if (barWidth < NARROWEST_BAR) return fitted(`${name}  ${text}`, width);
  const done = Math.min(barWidth, Math.round(barWidth * (totalBytes === 0 ? 1 : bytes / totalBytes)));
  return `${name}  [${"=".repeat(done)}${" ".repeat(barWidth - done)}]  ${text}`;
}

function nameOf({ label, phase }: Step): string {
  return phase === undefined ? label : `${phase} ${label}`;
}

function amount({ bytes, totalBytes }: Step): string {
  if (totalBytes === undefined) return showBytes(bytes);
  const percent = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100);
  return `${String(percent).padStart(3)}%  ${showBytes(bytes)} of ${showBytes(totalBytes)}`;
}

/** The end says more than the beginning, which is a name. */
function fitted(text: string, width: number): string {
  return text.length < width ? text : `…${text.slice(text.length - width + 2)}`;
}

function showTime(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours = 0, ...rest] = parts;
  const shown = hours > 0 ? [hours, ...rest] : rest;
  return shown.map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}
