import { KitchenError, messageOf } from "../../core/errors.ts";
import { evaluateFiles, importPackage, packageOf } from "./evaluate-files.ts";
import { importerAt, type Importing } from "../resolve/importing.ts";
import { decodeModules, type ModuleCode, type ModuleRef, type ModuleTarget } from "./module-code.ts";
import {
  COMMON_FILES,
  fileNameOf,
  fileText,
  hiding,
  provideSupport,
  specifierOf,
  type Support,
} from "./module-files.ts";
import { namespaceOf, packageHome } from "../resolve/references.ts";
import { type CodeUnit, hashOf } from "../wire/units.ts";
import { cannotDecode } from "../wire/wire.ts";

/** A module that came as source. It is evaluated once in a process. */
export interface CameModule {
  readonly ref: ModuleRef;
  readonly code: ModuleCode;
  /** Its unit and those of what it imports. */
  readonly units: readonly CodeUnit[];
  /** Evaluates a text at the module's top level; undefined until the module was evaluated. */
  readonly reach: Reach | undefined;
  /** The same for functions that were written there: they see what stands in for `require` and its like. */
  readonly within: Reach | undefined;
  readonly importing: Importing;
}

type Reach = (text: string) => unknown;

interface Came extends CameModule {
  readonly number: number;
  readonly targets: ReadonlyMap<string, Came>;
  reach: Reach | undefined;
  within: Reach | undefined;
  exported: unknown;
}

type UnitBytes = (hash: string) => Uint8Array;

const byUnit = new Map<string, readonly Came[]>();
const byNumber: Came[] = [];

provideSupport((number) => supportOf(byNumber[number] as Came));

/** The modules that were evaluated here. */
export function cameModules(): readonly CameModule[] {
  return byNumber.filter(({ reach }) => reach !== undefined);
}

/**
 * Evaluates a module, unless that was done, with all that it imports.
 *
 * @throws KitchenError `KS_MODULE_FAILED` with what it threw as the cause
 */
export function loadModule(ref: ModuleRef, unitBytes: UnitBytes): CameModule {
  const came = membersOf(ref.hash, unitBytes)[ref.member];
  if (came === undefined) throw cannotDecode("it refers to a module that its unit does not hold");
  if (came.reach === undefined) evaluate(came);
  return came;
}

/** The value of a variable at the top level of a module; `*` and `*.name` are its exports. */
export function moduleValue(module: CameModule, name: string): unknown {
  const { reach } = module;
  if (name === "*" || name.startsWith("*.")) {
    const exported = exportsOf(module as Came);
    return name === "*" ? exported : (Reflect.get(exported as object, name.slice(2)) as unknown);
  }
  if (reach === undefined || !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name))
    throw cannotDecode(`a module has no variable ${name}`);
  return reach(name);
}

function exportsOf({ code, reach, exported }: Came): unknown {
  if (code.format === "json") return exported;
  return reach?.(code.format === "module" ? "$ks_self" : "module.exports");
}

function evaluate(came: Came): unknown {
  const { code, number } = came;
  const files = new Map(COMMON_FILES);
  const packages = new Map<string, string>();
  for (const one of withImports(came)) {
    const specifiers = one.code.links.map(([, , target]) => specifierAt(one, target));
    files.set(fileNameOf(one.number, one.code), fileText(one.code, one.number, specifiers));
    for (const [name, version] of one.code.packages) packages.set(name, packageHome(name, version));
  }
  try {
    came.exported = evaluateFiles({ files, packages, entry: specifierOf(number, code) });
  } catch (cause) {
    came.reach = undefined;
    if (cause instanceof KitchenError) throw cause;
    const why = messageOf(cause);
    throw new KitchenError("KS_MODULE_FAILED", `Cannot load the module ${code.url} as source: ${why}`, {
      cause,
    });
  }
  return came.exported;
}

function specifierAt(came: Came, target: ModuleTarget): string {
  const found = targetOf(came, target);
  return specifierOf(found.number, found.code);
}

function targetOf({ ref, targets }: Came, [hash, member]: ModuleTarget): Came {
  const found = targets.get(`${hash ?? ref.hash}.${member}`);
  if (found === undefined) throw cannotDecode("it refers to a module that its unit does not hold");
  return found;
}

/** All that is loaded with a module. What it imports later is loaded then. */
function withImports(start: Came): Set<Came> {
  const found = new Set([start]);
  for (const came of found) for (const [, , target] of came.code.links) found.add(targetOf(came, target));
  return found;
}

function membersOf(hash: string, unitBytes: UnitBytes): readonly Came[] {
  const known = byUnit.get(hash);
  if (known !== undefined) return known;
  const bytes = unitBytes(hash);
  const checked = hashOf(bytes);
  if (checked !== hash) throw cannotDecode(`the code ${hash} is damaged`);
  const codes = decodeModules(bytes);
  const targets = new Map<string, Came>();
  const units = new Map<string, CodeUnit>([[hash, { hash: checked, bytes }]]);
  for (const inner of hashesIn(codes)) {
    for (const came of membersOf(inner, unitBytes)) {
      targets.set(`${inner}.${came.ref.member}`, came);
      for (const unit of came.units) units.set(unit.hash, unit);
    }
  }
  const members = codes.map((code, member) => toCame(code, { hash, member }, targets, [...units.values()]));
  for (const came of members) targets.set(`${hash}.${came.ref.member}`, came);
  byUnit.set(hash, members);
  return members;
}

function hashesIn(codes: readonly ModuleCode[]): Set<string> {
  const targets = codes.flatMap(({ links, later }) => [
    ...links.map(([, , target]) => target),
    ...Object.values(later),
  ]);
  return new Set(targets.flatMap((target) => (typeof target === "string" ? [] : (target[0] ?? []))));
}

function toCame(
  code: ModuleCode,
  ref: ModuleRef,
  targets: ReadonlyMap<string, Came>,
  units: readonly CodeUnit[],
): Came {
  const importing = importerAt(code.url, (specifier) => importLater(came, specifier));
  const number = byNumber.length;
  const came: Came = {
    ref,
    code,
    units,
    targets,
    number,
    importing,
    reach: undefined,
    within: undefined,
    exported: undefined,
  };
  byNumber.push(came);
  return came;
}

function supportOf(came: Came): Support {
  return Object.assign((specifier: unknown) => came.importing(specifier), {
    meta: came.importing.meta,
    tell: (reach: Reach) => {
      came.reach = reach;
      came.within = came.code.format === "commonjs" ? (reach(hiding(came.code)) as Reach) : reach;
    },
    require: (specifier: string, own: NodeJS.Require) => requireFrom(came, specifier, own),
  });
}

/** What `import()` gives for what came along; undefined for all else. */
function importLater(came: Came, specifier: string): unknown {
  const target = laterTarget(came, specifier);
  if (target !== undefined) {
    if (target.reach === undefined) evaluate(target);
    const exported = exportsOf(target);
    return target.code.format === "module" ? exported : namespaceOf(exported as object);
  }
  if (/^\.{0,2}\//.test(specifier))
    throw absent(came, specifier, "only texts in quotes tell what to send along");
  const packages = packageOf(came.code, specifier);
  return packages.size === 0 ? undefined : importPackage(specifier, packages);
}

function requireFrom(came: Came, specifier: string, own: NodeJS.Require): unknown {
  const target = laterTarget(came, specifier);
  if (target !== undefined) return target.reach === undefined ? evaluate(target) : exportsOf(target);
  const packages = packageOf(came.code, specifier);
  if (packages.size === 0) return own(specifier);
  return evaluateFiles({ files: new Map(COMMON_FILES), packages, entry: specifier });
}

function laterTarget(came: Came, specifier: string): Came | undefined {
  const target = Object.hasOwn(came.code.later, specifier) ? came.code.later[specifier] : undefined;
  if (typeof target === "string") throw absent(came, specifier, target);
  return target === undefined ? undefined : targetOf(came, target);
}

function absent({ code }: Came, specifier: string, why: string): KitchenError {
  return new KitchenError(
    "KS_CANNOT_CAPTURE",
    `Cannot import ${specifier} in ${code.url}, which came as source: ${why} (import it at the top of the module)`,
  );
}
