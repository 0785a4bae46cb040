import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { types } from "node:util";
import { KitchenError } from "../../core/errors.ts";
import { packageUrl } from "../../core/own-code.ts";
import { follow, packageHomes, versionIn } from "./modules.ts";
import { cannotDecode, type PackageReference } from "../wire/wire.ts";

/** A `require` that finds what the worker's own program would. */
export function workerRequire(): NodeJS.Require {
  return createRequire(join(process.cwd(), "worker.js"));
}

export function builtinPart(id: string, path: readonly string[]): unknown {
  const value = follow(builtin(id), path);
  if (value === undefined)
    throw cannotDecode(`${id} of Node ${process.versions.node}, which runs here, has no ${path.join(".")}`);
  return value;
}

function builtin(id: string): object {
  const module = process.getBuiltinModule(id);
  if (module === undefined)
    throw cannotDecode(`Node ${process.versions.node}, which runs here, has no module ${id}`);
  return module;
}

const namespaces = new Map<object, object>();

export function builtinNamespace(id: string): object {
  return namespaceOf(builtin(id));
}

/** What `import *` of a module gives that was not written as an ES module; the real one can be had only by waiting. */
export function namespaceOf(exported: object): object {
  if (types.isModuleNamespaceObject(exported)) return exported;
  const known = namespaces.get(exported);
  if (known !== undefined) return known;
  const namespace = Object.assign(Object.create(null) as object, exported, { default: exported });
  Object.defineProperty(namespace, Symbol.toStringTag, { value: "Module" });
  namespaces.set(exported, Object.freeze(namespace));
  return namespace;
}

export function packageNamespace(reference: PackageReference): object {
  return namespaceOf(load(reference) as object);
}

export function packageValue(reference: PackageReference, path: readonly string[]): unknown {
  const value = follow(load(reference), path);
  if (value === undefined && path.length > 0)
    throw missing(reference, `its ${reference.file} has no ${path.join(".")}`);
  return value;
}

/** The file of the package that is installed here, when it is of the same version but for the patch. */
function load(reference: PackageReference): unknown {
  const { name, version, file } = reference;
  if (file.split("/").includes("..")) throw cannotDecode("a package has a malformed name");
  return workerRequire()(join(packageHome(name, version), file));
}

/** The directory of a package here. @throws KitchenError `KS_CANNOT_CAPTURE` when another version is here, or none */
export function packageHome(name: string, version: string): string {
  if (name === OWN_PACKAGE) return fileURLToPath(packageUrl(""));
  if (!/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) throw cannotDecode("a package has a malformed name");
  const home = homes(name).find((directory) => versionIn(directory) !== undefined);
  if (home === undefined) throw missing({ name, version }, "it is not installed where this worker runs");
  const here = versionIn(home) as string;
  if (!isCompatible(version, here)) throw missing({ name, version }, `this worker has ${here}`);
  return home;
}

/** Every process has its own copy of this package, and means that. */
export const OWN_PACKAGE = "kitchensink";

function homes(name: string): string[] {
  return [
    ...packageHomes(process.cwd(), name),
    ...packageHomes(dirname(fileURLToPath(import.meta.url)), name),
  ];
}

function isCompatible(wanted: string, here: string): boolean {
  const [major, minor] = wanted.split(".");
  const [ownMajor, ownMinor] = here.split(".");
  return major === ownMajor && minor === ownMinor;
}

function missing({ name, version }: Omit<PackageReference, "file">, why: string): KitchenError {
  return new KitchenError(
    "KS_CANNOT_CAPTURE",
    `Cannot revive a reference to the package ${name} ${version}: ${why} (install ${name}@${version} there)`,
  );
}
