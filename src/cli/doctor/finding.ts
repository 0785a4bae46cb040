/** What a check came to. */
export interface Finding {
  /** `store`, `store at host:port` where there are several, `data`, `jobs`, `this machine`, or a node's name. */
  readonly about: string;
  /** The check: one word for programs. */
  readonly check: string;
  readonly level: Level;
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

export type Level = "ok" | "warning" | "problem";

/** Makes findings on one thing. */
export class About {
  readonly findings: Finding[] = [];
  readonly #about: string;

  constructor(about: string) {
    this.#about = about;
  }

  ok(check: string, message: string): void {
    this.findings.push({ about: this.#about, check, level: "ok", message });
  }

  warning(check: string, message: string, advice?: string): void {
    this.findings.push({ about: this.#about, check, level: "warning", message, advice });
  }

  problem(check: string, message: string, advice?: string): void {
    this.findings.push({ about: this.#about, check, level: "problem", message, advice });
  }
}

/** `1 job`, `2 jobs`; with a verb as one does it and as several do: `1 job waits`, `2 jobs wait` */
export function counted(count: number, what: string, [one, many]: readonly string[] = []): string {
  const verb = count === 1 ? one : many;
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}${verb === undefined ? "" : ` ${verb}`}`;
}

/** `a, b, c and 4 more` */
export function named({
  count,
  examples,
}: {
  readonly count: number;
  readonly examples: readonly string[];
}): string {
  const more = count - examples.length;
  return `${examples.join(", ")}${more > 0 ? ` and ${more.toLocaleString("en")} more` : ""}`;
}
