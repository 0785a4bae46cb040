/** Rows under a heading. Columns are as wide as the first rows ask for, so that the others need not be waited for. */
export class Table {
  readonly #titles: readonly string[];
  readonly #rightAligned: ReadonlySet<string>;
  #widths: readonly number[] | undefined;

  constructor(
    titles: readonly string[],
    { rightAligned = [] }: { readonly rightAligned?: readonly string[] } = {},
  ) {
    this.#titles = titles;
    this.#rightAligned = new Set(rightAligned);
  }

  /** The rows as text, with the heading before the first ones. */
  text(rows: readonly (readonly string[])[]): string {
    const isFirst = this.#widths === undefined;
    const all = isFirst ? [this.#titles, ...rows] : rows;
    this.#widths ??= this.#titles.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
    return all.map((row) => `${this.#line(row)}\n`).join("");
  }

  #line(row: readonly string[]): string {
    const cells = row.map((cell, at) => {
      const width = this.#widths?.[at] ?? 0;
      return this.#rightAligned.has(this.#titles[at] ?? "") ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join("  ").trimEnd();
  }
}
