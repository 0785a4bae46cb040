import { bars, type Bars } from "../../client/display/bars.ts";

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
}

/** Runs `work` with its progress on stderr: bars on a terminal; elsewhere a line now and then, if it takes long. */
export async function withProgress<T>(
  work: (progress: Progress) => Promise<T>,
  { shows = bars }: { readonly shows?: Bars } = {},
): Promise<T> {
  const transfers = new Transfers(shows);
  try {
    return await work(transfers);
  } finally {
    transfers.end();
  }
}

class Transfers implements Progress {
  readonly #bars: Bars;
  /** Of each transfer, its phase; the object stands for it as a bar. */
  readonly #current = new Map<string, { readonly phase: string | undefined }>();

  constructor(shows: Bars) {
    this.#bars = shows;
  }

  show({ label, phase, bytes, totalBytes }: Step): void {
    const last = this.#current.get(label);
    const current = last?.phase === phase && last !== undefined ? last : { phase };
    if (last !== undefined && last !== current) this.#bars.end(last);
    this.#current.set(label, current);
    const name = phase === undefined ? label : `${phase} ${label}`;
    this.#bars.show(current, { label: name, done: bytes, total: totalBytes ?? null, unit: "bytes" });
  }

  /** Takes away what is shown. */
  end(): void {
    for (const one of this.#current.values()) this.#bars.end(one);
  }
}
