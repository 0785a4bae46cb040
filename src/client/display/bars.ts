import { type Amount, barLine } from "./bar.ts";
import { LiveArea } from "./live-area.ts";

/** More are counted, not shown: the terminal is for what is printed. */
const MOST_BARS = 8;
const DRAW_EVERY_MS = 100;
/** Elsewhere than on a terminal a bar is a line now and then. */
const LINE_EVERY_MS = 5_000;

interface Bar {
  progress: Amount;
  readonly sinceMs: number;
  saidAtMs: number;
}

export interface BarsOptions {
  readonly area?: LiveArea;
  readonly stream?: NodeJS.WritableStream;
  /** ms */
  readonly now?: () => number;
}

/** Bars of all that goes on in this process, below what it prints. */
export class Bars {
  readonly #area: LiveArea;
  readonly #stream: NodeJS.WritableStream;
  readonly #now: () => number;
  readonly #bars = new Map<object, Bar>();
  #timer: NodeJS.Timeout | undefined;

  constructor({
    area = new LiveArea(),
    stream = process.stderr,
    now = () => performance.now(),
  }: BarsOptions = {}) {
    this.#area = area;
    this.#stream = stream;
    this.#now = now;
  }

  /** Shows how far something is; `of` stands for it. */
  show(of: object, progress: Amount): void {
    const nowMs = this.#now();
    const bar = this.#bars.get(of);
    if (bar === undefined) this.#bars.set(of, { progress, sinceMs: nowMs, saidAtMs: nowMs });
    else bar.progress = progress;
    if (this.#area.canShow) this.#timer ??= setTimeout(() => this.#draw(), DRAW_EVERY_MS).unref();
    else if (bar !== undefined && nowMs - bar.saidAtMs >= LINE_EVERY_MS) this.#say(bar);
  }

  /** It is over. `isKept`: its bar stays where it is, as a line among what is printed. */
  end(of: object, { isKept = false }: { readonly isKept?: boolean } = {}): void {
    const bar = this.#bars.get(of);
    if (bar === undefined) return;
    this.#bars.delete(of);
    if (this.#area.canShow) this.#draw();
    if (isKept) this.#say(bar);
  }

  #say(bar: Bar): void {
    bar.saidAtMs = this.#now();
    this.#stream.write(`${this.#line(bar, 100)}\n`);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const shown = [...this.#bars.values()].slice(0, MOST_BARS);
    const more = this.#bars.size - shown.length;
    const lines = shown.map((bar) => this.#line(bar, this.#area.columns - 1));
    this.#area.show(more > 0 ? [...lines, `… and ${more} more`] : lines);
  }

  #line({ progress, sinceMs }: Bar, columns: number): string {
    return barLine({ ...progress, elapsedMs: this.#now() - sinceMs }, columns);
  }
}

/** One for all clients of the process, as they share its terminal. */
export const bars: Bars = new Bars();
