import { hash } from "node:crypto";
import { parseUnitHash, type UnitHash } from "../../core/ids.ts";
import type { ModuleRef, ModulesRecord } from "../modules/module-code.ts";
import { cannotDecode } from "./wire.ts";

/** Code that travels once: everything needed to compile it, and no captured value. */
export interface CodeUnit {
  /** sha256 of {@link bytes} as base64url: 43 characters. */
  readonly hash: UnitHash;
  readonly bytes: Uint8Array;
}

/** How the text of a function has to stand in a program to mean what it meant. */
export type Form = "expression" | "declaration" | "method" | "getter" | "setter" | "class";

export interface FunctionCode {
  readonly source: string;
  readonly form: Form;
  readonly strict: boolean;
  /** Captured variables that no other function of the graph shares. */
  readonly names: readonly string[];
  /** The name that a function without one in its text got from where it was assigned. */
  readonly givenName?: string;
  /** The own name to which the text of a declared function refers; one of {@link names}. */
  readonly declaredName?: string;
  readonly usesSuper?: boolean;
  /** The range of a method's name within the source; a fixed name takes its place when the name is computed. */
  readonly computedName?: readonly [start: number, end: number];
  /** The name under which a method stands in its object literal. */
  readonly methodName?: string;
  /** Offsets of each `import(` and `import.meta`. */
  readonly imports?: readonly number[];
  /** The url that `import.meta.url` gave where the function was written. */
  readonly metaUrl?: string;
  readonly klass?: ClassCode;
}

/** What is exchanged in the text of a class so that defining it again repeats no side effect. */
export interface ClassCode {
  readonly edits: readonly (readonly [start: number, end: number, text: string])[];
  /** Functions that use the private names of the class without being members, and so have to be made inside of it. */
  readonly embedded?: readonly FunctionCode[];
}

/** Functions that share variables are nested as they were where they were written. */
export interface ScopeShape {
  readonly names: readonly string[];
  readonly members: readonly FunctionCode[];
  readonly children: readonly ScopeShape[];
}

/** Where the only function of a unit begins in its file, zero-based. */
export interface CodePlace {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

export interface UnitRecord {
  readonly shape: ScopeShape;
  readonly place?: CodePlace;
  /** The module that travels as source in whose top level the functions are made. */
  readonly module?: ModuleRef;
}

/** Stands in for the name of a method that was computed. */
export const COMPUTED_NAME = "$ks_computed";

/** Stands in the text of a class where the functions embedded in it go. */
export const EMBEDDED_MARK = "$ks_embedded";

/** The file name in stacks of code whose own file was not looked up. */
export const PSEUDO_FILE = "kitchensink:fn/";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const KEPT = 5_000;
const encoded = new Map<string, CodeUnit>();

/** Bytes and hash of a unit, made once for each text: hashing takes several times longer than finding them. */
export function encodeUnit(record: UnitRecord | ModulesRecord): CodeUnit {
  const text = JSON.stringify(record);
  const known = encoded.get(text);
  if (known !== undefined) return known;
  const bytes = encoder.encode(text);
  const unit = { hash: hashOf(bytes), bytes };
  if (encoded.size >= KEPT) encoded.delete(encoded.keys().next().value as string);
  encoded.set(text, unit);
  return unit;
}

export function hashOf(bytes: Uint8Array): UnitHash {
  return parseUnitHash(hash("sha256", bytes, "base64url"));
}

/** @throws KitchenError `KS_CANNOT_DECODE` when the bytes are no unit. */
export function decodeUnit(bytes: Uint8Array): UnitRecord {
  try {
    const record = JSON.parse(decoder.decode(bytes)) as UnitRecord;
    if (!Array.isArray(record.shape.members)) throw new TypeError("no members");
    return record;
  } catch (cause) {
    throw cannotDecode("a unit of code is damaged", cause);
  }
}
