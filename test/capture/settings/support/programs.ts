import { readFileSync } from "node:fs";
import { transformSync } from "oxc-transform";

/** Files of a user, by name. */
export type Files = Readonly<Record<string, string>>;

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
const PROGRAM = read("./program.ts");
const PRICES = read("./prices.ts");

/** TypeScript of which nothing remains but JavaScript when its types are removed. */
export function typed(): Files {
  return { "program.ts": PROGRAM, "prices.ts": PRICES };
}

const PLAIN = 'const compiled = (): string => "";';
const COMPILED = `enum Size { Small = 1, Large = 10 }
class Box { constructor(readonly size: Size) {} }
const box = new Box(Size.Large);
const compiled = (): string => \`\${Size[box.size]} \${box.size + Size.Small}\`;`;

/** TypeScript with an enum and a parameter property, which a tool has to compile. */
export function full(): Files {
  return { "program.ts": PROGRAM.replace(PLAIN, COMPILED), "prices.ts": PRICES };
}

/** The same program in plain JavaScript. */
export function esModules(): Files {
  return {
    "program.mjs": withoutTypes(PROGRAM).replace("./prices.ts", "./prices.mjs"),
    "prices.mjs": withoutTypes(PRICES),
  };
}

/** @param importing has the program import this package when it runs, instead of requiring it */
export function commonJs({ importing = false }: { importing?: boolean } = {}): Files {
  const program = required(withoutTypes(PROGRAM).replace("./prices.ts", "./prices.cjs"));
  return {
    "program.cjs": importing
      ? program.replace(...IMPORTING).replace("new Client", "new (await loaded)")
      : program,
    "prices.cjs": required(withoutTypes(PRICES)),
  };
}

const IMPORTING = [
  'const { Client } = require("kitchensink");',
  'let Client;\nconst loaded = import("kitchensink").then((loaded) => (Client = loaded.Client));',
] as const;

/** With a layout that is not the one of tools which print programs anew. */
function withoutTypes(text: string): string {
  const { code } = transformSync("program.ts", text);
  return code.replace(/^( *)(throw|if|const|return) /gm, "\n  $1$2   ");
}

function required(text: string): string {
  const exported = [...text.matchAll(/^export (?:async )?\w+ (\w+)/gm)].map(([, name]) => name);
  const body = text
    .replace(/^import (.*) from ("[^"]+");$/gm, "const $1 = require($2);")
    .replace(/^export /gm, "");
  return `${body}\nmodule.exports = { ${exported.join(", ")} };\n`;
}

/** One-based line and column of a text that stands only once in a file, as stacks show them. */
export function placeOf(text: string, marker: string): string {
  const at = text.indexOf(marker);
  if (at < 0 || text.includes(marker, at + 1)) throw new Error(`not once in the file: ${marker}`);
  const before = text.slice(0, at).split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
