import type { Format } from "./module-text.ts";
import { cannotDecode } from "../wire/wire.ts";

/** A module that another one names: a member of the unit of a hash, or, without one, of the same unit. */
export type ModuleTarget = readonly [hash: string | null, member: number];

/** A module that travels as source. */
export interface ModuleCode {
  /** Where its caller has it. */
  readonly url: string;
  readonly format: Format | "json";
  readonly text: string;
  /** Where the top level ends. */
  readonly end: number;
  /** Exchanges in the text. */
  readonly edits: readonly (readonly [start: number, end: number, text: string])[];
  /** Literals in the text that name modules which travel too. */
  readonly links: readonly (readonly [start: number, end: number, target: ModuleTarget])[];
  /** What `import()` and `require` of a text in quotes mean when they are called; a text says why they cannot. */
  readonly later: Readonly<Record<string, ModuleTarget | string>>;
  /** Packages that the module imports; the worker takes its own. */
  readonly packages: readonly (readonly [name: string, version: string])[];
}

/** Modules that import each other in a circle are one unit; any other module is one by itself. */
export interface ModulesRecord {
  readonly modules: readonly ModuleCode[];
}

/** A module by the hash of its unit, which covers all that it imports. */
export interface ModuleRef {
  readonly hash: string;
  readonly member: number;
}

/** Ends the text of every module that was loaded from its source. */
export const SOURCE_MARK = "//# kitchensink: a module that came as source";

const decoder = new TextDecoder();

/** @throws KitchenError `KS_CANNOT_DECODE` when the bytes are no unit of modules */
export function decodeModules(bytes: Uint8Array): readonly ModuleCode[] {
  try {
    const { modules } = JSON.parse(decoder.decode(bytes)) as ModulesRecord;
    if (
      !modules.every(
        ({ text, links, edits }) => typeof text === "string" && Array.isArray(links) && Array.isArray(edits),
      )
    )
      throw new TypeError("no text");
    return modules;
  } catch (cause) {
    throw cannotDecode("a unit of modules is damaged", cause);
  }
}
