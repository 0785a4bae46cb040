/** What notebooks show of an object: by MIME type, as kernels of Jupyter take it. */
export interface RichDisplay {
  readonly "text/plain": string;
  readonly "text/html": string;
}

/** Under this name kernels look for how an object shows itself; Deno's does. */
export const JUPYTER_DISPLAY: symbol = Symbol.for("Jupyter.display");

/** A table of two columns; what is undefined is left out. */
export function richTable(title: string, rows: Readonly<Record<string, string | undefined>>): RichDisplay {
  const shown = Object.entries(rows).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const width = Math.max(...shown.map(([name]) => name.length));
  const cells = shown.map(
    ([name, value]) => `<tr><th style="text-align:left">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  );
  return {
    "text/plain": [title, ...shown.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join("\n"),
    "text/html": `<table><caption style="text-align:left">${escaped(title)}</caption>${cells.join("")}</table>`,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
