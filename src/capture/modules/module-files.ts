import { randomBytes } from "node:crypto";
import { type ModuleCode, SOURCE_MARK } from "./module-code.ts";
import { applyEdits } from "../source/text.ts";

/** Files as Node has to find them while it evaluates `entry`, an import specifier. */
export interface ModuleFiles {
  readonly files: ReadonlyMap<string, string>;
  /** The directory of each package that they import. */
  readonly packages: ReadonlyMap<string, string>;
  readonly entry: string;
}

/** What a module's text calls by way of {@link SUPPORT_KEY}, under the number of the module. */
export type Support = ((specifier: unknown) => Promise<unknown>) & {
  readonly meta: object;
  /** Is told how to evaluate a text at the top level of the module. */
  readonly tell: (reach: (text: string) => unknown) => void;
  readonly require: (specifier: string, own: NodeJS.Require) => unknown;
};

/** Two copies of this package in one process must not take each other's modules. */
const SUPPORT_KEY = `kitchensink.modules.${randomBytes(9).toString("base64url")}`;
const SUPPORT_TEXT = `globalThis[Symbol.for(${JSON.stringify(SUPPORT_KEY)})]`;

export function provideSupport(supportOf: (number: number) => Support): void {
  Object.defineProperty(globalThis, Symbol.for(SUPPORT_KEY), { value: supportOf });
}

const ENDINGS = { module: "mjs", commonjs: "cjs", json: "json" } as const;
/** Short, so that they fit where the caller's own specifiers stood, and no column moves. */
const PREFIXES = { module: "#", commonjs: "#c", json: "#j" } as const;

export function specifierOf(number: number, { format }: ModuleCode): string {
  return `${PREFIXES[format]}${number}`;
}

export function fileNameOf(number: number, { format }: ModuleCode): string {
  return `${number}.${ENDINGS[format]}`;
}

/** Files that all modules use. */
export const COMMON_FILES: readonly (readonly [name: string, text: string])[] = [
  ["package.json", JSON.stringify({ imports: { "#*": "./*.mjs", "#c*": "./*.cjs", "#j*": "./*.json" } })],
  ["s.mjs", `export default ${SUPPORT_TEXT}(Number(import.meta.url.split("?")[1]));`],
];

/**
 * The text of a module as it is loaded. Lines stay, and so do columns but behind a specifier that is too short for what
 * takes its place.
 */
export function fileText(code: ModuleCode, number: number, specifiers: readonly string[]): string {
  if (code.format === "json") return code.text;
  const links = code.links.map(
    ([start, end], index) => [start, end, JSON.stringify(specifiers[index]).padEnd(end - start)] as const,
  );
  const added = code.format === "module" ? addedToModule(number) : addedToCommonJs(number);
  const access = [code.end, code.end, `\n${added}\n`] as const;
  const text = applyEdits(code.text, [...code.edits, ...links, access]);
  return `${text}\n${SOURCE_MARK}\n//# sourceURL=${code.url}\n`;
}

function addedToModule(number: number): string {
  return `import imp0rt from "./s.mjs?${number}";import*as $ks_self from "#${number}";imp0rt.tell($ks_t=>eval($ks_t));`;
}

/** Function declarations, because these are there before the first line runs. */
function addedToCommonJs(number: number): string {
  return [
    `function $ks_m(){return ${SUPPORT_TEXT}(${number})}`,
    "function imp0rt($ks_s){return $ks_m()($ks_s)}",
    "function $ks_req($ks_s){return $ks_m().require($ks_s,require)}",
    "function $ks_dir(){return $ks_m().meta.dirname}",
    "function $ks_file(){return $ks_m().meta.filename}",
    "Object.assign($ks_req,require);",
    "function $ks_tell(){$ks_m().tell(function($ks_t){return eval($ks_t)})}$ks_tell();",
  ].join("");
}

/** Hides what Node gives to the file that a CommonJS module is loaded from, but for what the module put in its place. */
export function hiding({ text }: ModuleCode): string {
  const hidden = Object.entries(HIDDEN).filter(([name]) => !new RegExp(`\\b${name}\\s*=[^=]`).test(text));
  const names = hidden.map(([name]) => name).join(",");
  const values = hidden.map(([, value]) => value).join(",");
  return `(function(${names}){return $ks_t=>eval($ks_t)})(${values})`;
}

const HIDDEN = { require: "$ks_req", __filename: "$ks_file()", __dirname: "$ks_dir()" } as const;
