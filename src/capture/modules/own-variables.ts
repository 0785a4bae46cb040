import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { LocalModule } from "./local-modules.ts";
import { textOf } from "./local-modules.ts";
import { moduleVariables } from "./module-scopes.ts";
import { surroundingsOf } from "../scopes/scopes.ts";
import { cannotDecode } from "../wire/wire.ts";

const { cache } = createRequire(import.meta.url);

/** For each module a function of it, by way of which its variables can be read. */
const windows = new Map<string, object>();
/** What was sent under a name, for names that no function of the module shows. */
const sent = new Map<string, WeakRef<object>>();

export function rememberWindow({ scriptId }: LocalModule, fn: object): void {
  if (!windows.has(scriptId)) windows.set(scriptId, fn);
}

export function rememberSent({ scriptId }: LocalModule, name: string, value: unknown): void {
  if ((typeof value === "object" && value !== null) || typeof value === "function")
    sent.set(`${scriptId} ${name}`, new WeakRef(value));
}

/** This process's own value of what came back as a variable of one of its modules. */
export function ownVariable(module: LocalModule, name: string): unknown {
  const { scriptId, format } = module;
  if (format === "commonjs" && name.startsWith("*")) return exportOf(module, name);
  const window = windows.get(scriptId);
  const variables =
    window === undefined ? undefined : moduleVariables(surroundingsOf(window), textOf(module));
  if (variables?.has(name) === true) return variables.get(name);
  const value = sent.get(`${scriptId} ${name}`)?.deref();
  if (value !== undefined) return value;
  throw cannotDecode(`the variable ${name} of ${module.url}, which came back, cannot be read here`);
}

function exportOf({ url }: LocalModule, name: string): unknown {
  const exported = cache[fileURLToPath(url)]?.exports as unknown;
  return name === "*" ? exported : (Reflect.get(exported as object, name.slice(2)) as unknown);
}
