import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readScripts } from "../scopes/inspect.ts";
import { loadableText, type LocalModule, textOf } from "./local-modules.ts";
import type { ModuleCode, ModuleRef, ModuleTarget } from "./module-code.ts";
import { ModuleRefusal, cannotTravel } from "./module-refusal.ts";
import type { Link } from "./module-edits.ts";
import { resolveLink, type Resolved } from "./resolve-link.ts";
import { type CodeUnit, encodeUnit } from "../wire/units.ts";

/** A module of this process as it travels. */
export interface PackedModule {
  readonly module: LocalModule;
  readonly ref: ModuleRef;
  /** Its unit and those of all that it imports. */
  readonly units: readonly CodeUnit[];
  /** The local modules that it imports, and those that they import. */
  readonly imported: readonly LocalModule[];
}

const packed = new Map<string, PackedModule>();
const byRef = new Map<string, PackedModule>();

/** The module of this process that travelled under `ref`. */
export function packedAs({ hash, member }: ModuleRef): PackedModule | undefined {
  return byRef.get(`${hash}.${member}`);
}

/** @throws ModuleRefusal that names the module which cannot travel */
export function packModule(module: LocalModule): PackedModule {
  const known = packed.get(module.scriptId);
  if (known !== undefined) return known;
  readScripts();
  new Packing().visit(module);
  return packed.get(module.scriptId) as PackedModule;
}

interface Visit {
  readonly module: LocalModule;
  readonly index: number;
  readonly links: readonly { link: Link; resolved: Resolved | string }[];
  /** The earliest module that it leads back to. */
  low: number;
}

/** Finds circles of imports (by Tarjan's algorithm), so that what is imported has its hash before it is needed. */
class Packing {
  readonly #visits = new Map<string, Visit>();
  readonly #open: Visit[] = [];

  visit(module: LocalModule): Visit | undefined {
    if (packed.has(module.scriptId)) return undefined;
    const known = this.#visits.get(module.scriptId);
    if (known !== undefined) return known;
    const index = this.#visits.size;
    const visit: Visit = { module, index, links: resolveAll(module), low: index };
    this.#visits.set(module.scriptId, visit);
    this.#open.push(visit);
    for (const { resolved } of visit.links) {
      const inner =
        typeof resolved === "object" && resolved.kind === "module" ? this.visit(resolved.module) : undefined;
      if (inner !== undefined && this.#open.includes(inner)) visit.low = Math.min(visit.low, inner.low);
    }
    if (visit.low === index) pack(this.#open.splice(this.#open.indexOf(visit)));
    return visit;
  }
}

function resolveAll(module: LocalModule): Visit["links"] {
  return naming(module, () =>
    loadableText(module).links.map((link) => ({ link, resolved: resolveOne(module, link) })),
  );
}

/** What a function asks for may fail when it is called, and then says why. */
function resolveOne(module: LocalModule, { kind, specifier, isInFunction }: Link): Resolved | string {
  const isLater = kind === "import" || isInFunction;
  try {
    const resolved = resolveLink(module, specifier);
    if (resolved.kind === "absent") return absent(module, specifier, kind);
    if (isLater && resolved.kind === "module") checkedText(resolved.module);
    return resolved;
  } catch (error) {
    if (isLater && error instanceof ModuleRefusal)
      return `${specifier} cannot travel as source: ${error.message}`;
    throw error;
  }
}

/** A program may go on without what it fails to require. */
function absent({ url }: LocalModule, specifier: string, kind: Link["kind"]): string {
  const why = `${specifier} was not loaded where ${url} came from`;
  if (kind === "static") throw cannotTravel(why, "import it by its path");
  return why;
}

function checkedText(module: LocalModule): void {
  naming(module, () => loadableText(module));
}

/** Refusals say of which module they speak. */
function naming<T>({ url }: LocalModule, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof ModuleRefusal) || error.message.startsWith("file:")) throw error;
    throw cannotTravel(`${url} cannot travel as source: ${error.message}`, error.wayOut);
  }
}

/** In an order that does not depend on where the circle was entered. */
function pack(visits: readonly Visit[]): void {
  const circle = visits.toSorted((a, b) => (a.module.url < b.module.url ? -1 : 1));
  const members = circle.map(({ module }) => module.scriptId);
  const outer = new Map<string, CodeUnit>();
  const modules = circle.map((visit) => toCode(visit, members, outer));
  const own = encodeUnit({ modules });
  const imports = circle.flatMap(({ links }) => links.flatMap(({ resolved }) => packedBy(resolved)));
  for (const unit of imports.flatMap(({ units }) => units)) outer.set(unit.hash, unit);
  const around = imports.flatMap(({ module, imported }) => [module, ...imported]);
  const imported = [...new Set([...circle.map(({ module }) => module), ...around])];
  for (const [member, { module }] of circle.entries()) {
    const ref = { hash: own.hash, member };
    const one = { module, ref, units: [own, ...outer.values()], imported };
    packed.set(module.scriptId, one);
    byRef.set(`${own.hash}.${member}`, one);
  }
}

function packedBy(resolved: Resolved | string): PackedModule[] {
  const isModule = typeof resolved === "object" && resolved.kind === "module";
  const known = isModule ? packed.get(resolved.module.scriptId) : undefined;
  return known === undefined ? [] : [known];
}

function toCode(
  { module, links }: Visit,
  members: readonly string[],
  outer: Map<string, CodeUnit>,
): ModuleCode {
  const { text, end, edits } = textOf(module);
  const fixed: [number, number, ModuleTarget][] = [];
  const later: Record<string, ModuleTarget | string> = {};
  const packages = new Map<string, string>();
  for (const { link, resolved } of links) {
    if (typeof resolved === "string") later[link.specifier] = resolved;
    else if (resolved.kind === "package") packages.set(resolved.name, resolved.version);
    else if (resolved.kind !== "builtin") {
      const target = targetOf(resolved, members, outer);
      if (link.kind === "static") fixed.push([link.start, link.end, target]);
      else later[link.specifier] = target;
    }
  }
  return {
    url: module.url,
    format: module.format,
    text,
    end,
    edits,
    links: fixed,
    later,
    packages: [...packages],
  };
}

function targetOf(
  resolved: Resolved,
  members: readonly string[],
  outer: Map<string, CodeUnit>,
): ModuleTarget {
  if (resolved.kind === "module") {
    const member = members.indexOf(resolved.module.scriptId);
    if (member >= 0) return [null, member];
    const { ref } = packed.get(resolved.module.scriptId) as PackedModule;
    return [ref.hash, ref.member];
  }
  const unit = jsonUnit((resolved as Extract<Resolved, { kind: "json" }>).url);
  outer.set(unit.hash, unit);
  return [unit.hash, 0];
}

function jsonUnit(url: string): CodeUnit {
  const text = readFileSync(fileURLToPath(url), "utf8");
  return encodeUnit({
    modules: [{ url, format: "json", text, end: text.length, edits: [], links: [], later: {}, packages: [] }],
  });
}
