import type { LocalModule } from "./local-modules.ts";
import { isRewritten, loadedCommonJs, localModule, textOf } from "./local-modules.ts";
import { scriptSource } from "../scopes/inspect.ts";
import { cameModules, type CameModule } from "./load-module.ts";
import { ModuleRefusal } from "./module-refusal.ts";
import type { ModuleRef } from "./module-code.ts";
import { type ModuleText, readModuleText } from "./module-text.ts";
import { packedAs, packModule } from "./module-units.ts";
import { surroundingsOf } from "../scopes/scopes.ts";
import type { CodeUnit } from "../wire/units.ts";

/** A module of which a capture sends the source, be it this process's own or one that came as source itself. */
export interface SourceModule {
  readonly scriptId: string;
  readonly url: string;
  readonly ref: ModuleRef;
  readonly units: readonly CodeUnit[];
  /** As V8 has it here. */
  readonly text: ModuleText;
  readonly own?: LocalModule;
  readonly came?: CameModule;
}

/** Modules of this process that cannot travel by value, found out by trying. */
const unable = new Set<string>();

/** From now on these modules travel as source, so that finding out happens once. */
export function sendAsSource(modules: readonly LocalModule[]): void {
  for (const { scriptId } of modules) unable.add(scriptId);
}

export function keepByValue(modules: readonly LocalModule[]): void {
  for (const { scriptId } of modules) unable.delete(scriptId);
}

export function goesAsSource({ scriptId }: LocalModule, isAll: boolean): boolean {
  return isAll || unable.has(scriptId);
}

let isKept = false;

/** From here on, no module of this process leaves it as source. Those that came as source go on all the same. */
export function keepModules(): void {
  isKept = true;
}

export function areModulesKept(): boolean {
  return isKept;
}

/** Whether any capture has to look at modules at all. */
export function isSourceKnown(): boolean {
  return unable.size > 0 || cameModules().length > 0 || made.size > 0;
}

const made = new Map<string, SourceModule>();

/** @throws ModuleRefusal when the module has to go as source and cannot */
export function sourceModule(scriptId: string, isAll: boolean): SourceModule | undefined {
  if (scriptId === "") return undefined;
  const came = cameFrom(scriptId);
  if (came !== undefined) return came;
  const module = localModule(scriptId);
  return module !== undefined && goesAsSource(module, isAll) ? ownSource(module) : undefined;
}

export function ownSource(module: LocalModule): SourceModule {
  const known = made.get(module.scriptId);
  if (known !== undefined) return known;
  const { ref, units } = packModule(module);
  const { scriptId, url } = module;
  const source = { scriptId, url, ref, units, text: textOf(module), own: module };
  made.set(scriptId, source);
  return source;
}

/** The module here that is known as `ref`, whichever process it is from. */
export function sourceAs(ref: ModuleRef): SourceModule | undefined {
  const packed = packedAs(ref);
  if (packed !== undefined) return ownSource(packed.module);
  readCame();
  return [...came.values()].find((one) => one.ref.hash === ref.hash && one.ref.member === ref.member);
}

const came = new Map<string, SourceModule>();
let readCount = 0;

function cameFrom(scriptId: string): SourceModule | undefined {
  readCame();
  return came.get(scriptId);
}

function readCame(): void {
  const modules = cameModules();
  if (modules.length === readCount) return;
  readCount = modules.length;
  for (const module of modules) {
    const { code, reach, ref, units } = module;
    if (reach === undefined || code.format === "json") continue;
    const { scriptId } = surroundingsOf(reach);
    const text = readModuleText(scriptSource(scriptId), code.format);
    came.set(scriptId, { scriptId, url: code.url, ref, units, text, came: module });
  }
}

/** The CommonJS modules that go as source and can. */
export function commonJsModules(isAll: boolean): SourceModule[] {
  readCame();
  const theirs = [...came.values()].filter(({ text }) => text.format === "commonjs");
  if (!isAll)
    return [
      ...theirs,
      ...[...made.values()].filter(
        ({ own, text }) => text.format === "commonjs" && own !== undefined && goesAsSource(own, false),
      ),
    ];
  return [...theirs, ...loadedCommonJs().flatMap(ownIfAble)];
}

function ownIfAble(module: LocalModule): SourceModule[] {
  try {
    return [ownSource(module)];
  } catch (error) {
    // Whoever needs it hears why.
    if (error instanceof ModuleRefusal) return [];
    throw error;
  }
}

/** Why a function's module cannot go as source although all have to; undefined when nothing hinders. */
export function reasonAgainst(scriptId: string): string | undefined {
  return isRewritten(scriptId)
    ? "its file was rewritten by what loaded it, such as a test runner, so its module cannot travel as source"
    : undefined;
}
