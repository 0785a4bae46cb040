import { types } from "node:util";
import { runInThisContext } from "node:vm";

/** Names that the language has in every vm context. */
const LANGUAGE_NAMES: ReadonlySet<string> = new Set(
  `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date
  Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError
  SuppressedError globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array
  Int16Array Uint32Array Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray
  BigUint64Array BigInt64Array DataView Map BigInt Set Iterator WeakMap WeakSet WeakRef Proxy Reflect
  FinalizationRegistry SharedArrayBuffer DisposableStack AsyncDisposableStack decodeURI
  decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN`.split(/\s+/),
);

/** Names that Node adds. */
const NODE_NAMES: ReadonlySet<string> = new Set(
  `console process global Buffer URL URLSearchParams URLPattern TextEncoder TextDecoder AbortController
  AbortSignal Event EventTarget CustomEvent setTimeout setInterval setImmediate clearTimeout
  clearInterval clearImmediate queueMicrotask structuredClone performance Performance PerformanceEntry
  PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList
  PerformanceResourceTiming fetch Headers Request Response FormData Blob File ReadableStream
  ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamBYOBRequest
  ReadableByteStreamController ReadableStreamDefaultController WritableStream
  WritableStreamDefaultController WritableStreamDefaultWriter TransformStream
  TransformStreamDefaultController ByteLengthQueuingStrategy CountQueuingStrategy TextEncoderStream
  TextDecoderStream CompressionStream DecompressionStream MessageChannel MessagePort MessageEvent
  BroadcastChannel DOMException WebAssembly crypto Crypto CryptoKey SubtleCrypto btoa atob navigator
  Navigator WebSocket CloseEvent ErrorEvent EventSource Storage localStorage sessionStorage`.split(/\s+/),
);

/** Objects of Node of which a test runner gives its vm contexts copies. */
const STAND_INS: ReadonlySet<string> = new Set(["process", "console"]);

/** Names that every process has: a reference to one of these finds the worker's own. */
const GLOBAL_NAMES: ReadonlySet<string> = new Set([...LANGUAGE_NAMES, ...NODE_NAMES]);

/** Reading these warns or touches the disk, and their values could not be shared anyway. */
const NOT_READ: ReadonlySet<string> = new Set(["globalThis", "global", "localStorage", "sessionStorage"]);

const [MAJOR = 0] = process.versions.node.split(".").map(Number);

/** Reading these loads undici, which takes 17 ms; until something else has loaded it, nobody can have them. */
const UNDICI_NAMES: ReadonlySet<string> = new Set([
  ..."FormData Headers Request Response WebSocket CloseEvent EventSource".split(" "),
  ...(MAJOR >= 22 ? ["MessageEvent"] : []),
]);

const EARLY_NODE_NAMES: ReadonlySet<string> = new Set(
  [...NODE_NAMES].filter((name) => !UNDICI_NAMES.has(name)),
);

/** Objects of the language that no global name reaches. */
const NAMELESS: Readonly<Record<string, () => object>> = {
  "%GeneratorFunction%": () => Object.getPrototypeOf(function* () {}) as object,
  "%AsyncGeneratorFunction%": () => Object.getPrototypeOf(async function* () {}) as object,
  "%AsyncFunction%": () => Object.getPrototypeOf(async () => {}) as object,
  "%ArrayIterator%": () => Object.getPrototypeOf([][Symbol.iterator]()) as object,
  "%MapIterator%": () => Object.getPrototypeOf(new Map()[Symbol.iterator]()) as object,
  "%SetIterator%": () => Object.getPrototypeOf(new Set()[Symbol.iterator]()) as object,
  "%StringIterator%": () => Object.getPrototypeOf(""[Symbol.iterator]()) as object,
  "%RegExpStringIterator%": () => Object.getPrototypeOf("".matchAll(/a/g)) as object,
};

/** The same for objects of Node's. */
const NODE_NAMELESS: Readonly<Record<string, () => object>> = {
  "%subtle%": () => globalThis.crypto.subtle,
};

const NAMELESS_OF: ReadonlyMap<ReadonlySet<string>, object> = new Map([
  [LANGUAGE_NAMES, NAMELESS],
  [EARLY_NODE_NAMES, NODE_NAMELESS],
]);

/** Objects that a process makes when they are first asked for, so only for one of them is asked. */
const STANDARD_STREAMS: Readonly<Record<string, () => object>> = {
  "%stdout%": () => process.stdout,
  "%stderr%": () => process.stderr,
};

const MAX_DEPTH = 5;
let paths: WeakMap<object, string> | undefined;
/** The global objects of vm contexts, by the end of the prototypes there. Their parts are in {@link paths} too. */
const realms = new WeakMap<object, object | undefined>();

/** Tells whether a free name of a function means the same in every process. */
export function isGlobalName(name: string): boolean {
  return GLOBAL_NAMES.has(name);
}

/**
 * Tells whether a name that means a global now will do so for good. In a session of the REPL a later line may declare it.
 */
export function staysGlobal(name: string): boolean {
  const { moduleLoadList } = process as NodeJS.Process & { moduleLoadList?: readonly string[] };
  return isGlobalName(name) && moduleLoadList?.includes("NativeModule repl") === false;
}

/** The path under which the worker finds its own copy of a part of the language or of Node's globals. */
export function knownPath(value: object): string | undefined {
  paths ??= collectOwn();
  if (!isUndiciRead) readUndici(paths);
  const path = paths.get(value);
  if (path !== undefined) return path;
  const root = foreignRoot(value);
  if (root === undefined || realms.has(root)) return undefined;
  enter(root);
  return paths.get(value);
}

/** The global object of the vm context that made `value`; undefined for the one that this package runs in. */
export function realmOf(value: object): object | undefined {
  const root = foreignRoot(value);
  return root === undefined ? undefined : enter(root);
}

/** Parts of the language come first, so that what Node or a test runner made of them is not taken for their home. */
function collectOwn(): WeakMap<object, string> {
  const found = new WeakMap<object, string>();
  // Where this package was loaded into another context, which has some of its objects from the main one.
  const main = runInThisContext("globalThis") as object;
  for (const globals of new Set([main, globalThis])) collect(found, globals, LANGUAGE_NAMES);
  return collect(found, globalThis, EARLY_NODE_NAMES);
}

/** Makes the parts of the language of another vm context known, and gives its global object. */
function enter(root: object): object | undefined {
  if (realms.has(root)) return realms.get(root);
  const foreign = foreignGlobal(root);
  realms.set(root, foreign);
  if (foreign === undefined) return undefined;
  paths ??= collectOwn();
  collect(paths, foreign, LANGUAGE_NAMES);
  collect(paths, foreign, STAND_INS);
  return foreign;
}

let isUndiciRead = false;
let loadedCount = 0;

function readUndici(found: WeakMap<object, string>): void {
  const { moduleLoadList } = process as NodeJS.Process & { moduleLoadList?: readonly string[] };
  if (moduleLoadList !== undefined && moduleLoadList.length === loadedCount) return;
  loadedCount = moduleLoadList?.length ?? 0;
  if (moduleLoadList?.includes("NativeModule internal/deps/undici/undici") === false) return;
  isUndiciRead = true;
  collect(found, globalThis, UNDICI_NAMES);
}

/** As {@link knownPath}, for the streams of the process to which everything is printed. */
export function standardStreamPath(value: object): string | undefined {
  if (Reflect.getOwnPropertyDescriptor(value, "_isStdio")?.value !== true) return undefined;
  const found = Object.entries(STANDARD_STREAMS).find(([, get]) => get() === value);
  return found === undefined ? undefined : JSON.stringify([found[0]]);
}

/** The end of the prototypes of a value that another vm context made. */
function foreignRoot(value: object): object | undefined {
  let at: object | null = value;
  for (let next: object | null = at; next !== null; next = nextProto(next)) at = next;
  return at === Object.prototype || at === value ? undefined : at;
}

function nextProto(value: object): object | null {
  return types.isProxy(value) ? null : (Object.getPrototypeOf(value) as object | null);
}

function foreignGlobal(root: object): object | undefined {
  const maker = Reflect.getOwnPropertyDescriptor(root, "constructor")?.value as unknown;
  if (
    typeof maker !== "function" ||
    Function.prototype.toString.call(maker) !== Function.prototype.toString.call(Object)
  )
    return undefined;
  try {
    return (maker.constructor as FunctionConstructor)("return globalThis")() as object;
  } catch {
    // A context may forbid to make code from text; what is in it then counts as any other object.
    return undefined;
  }
}

/**
 * Finds what {@link knownPath} named. What the language has is that of `realm`, a global object of another vm context.
 *
 * @throws RangeError when this process has nothing there
 */
export function knownValue(path: string, realm?: object): unknown {
  const [start = "", ...steps] = JSON.parse(path) as string[];
  const globals = realm === undefined || NODE_NAMES.has(start) ? globalThis : realm;
  if (start === "globalThis") return globals;
  let value = GLOBAL_NAMES.has(start) ? (Reflect.get(globals, start) as unknown) : nameless(start, globals);
  for (const step of steps) value = stepInto(value, step);
  if (value === undefined || value === null)
    throw new RangeError(`${path} does not exist in this version of Node`);
  return value;
}

/** Parts of the language are made by the same text in another vm context, whose objects differ. */
function nameless(name: string, globals: object): unknown {
  const ofNode = makerOf(name, NODE_NAMELESS) ?? makerOf(name, STANDARD_STREAMS);
  if (ofNode !== undefined) return ofNode();
  const make = makerOf(name, NAMELESS);
  if (make === undefined || globals === globalThis) return make?.();
  const { Function: compile } = globals as typeof globalThis;
  return (compile(`return (${String(make)})()`) as () => unknown)();
}

function makerOf(name: string, makers: Readonly<Record<string, () => object>>): (() => object) | undefined {
  return Object.hasOwn(makers, name) ? makers[name] : undefined;
}

function stepInto(value: unknown, step: string): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  if (step === "^") return Object.getPrototypeOf(value) as unknown;
  const [part, name] = [step[0], step.slice(1)];
  const key = name.startsWith("@@") ? symbolNamed(name.slice(2)) : name;
  const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
  if (part === "<") return descriptor?.get;
  return part === ">" ? descriptor?.set : (descriptor?.value as unknown);
}

function symbolNamed(name: string): symbol {
  const own = name.startsWith("=") ? Symbol.for(name.slice(1)) : Reflect.get(Symbol, name);
  return typeof own === "symbol" ? own : Symbol();
}

/** The portable name of a symbol that is the same everywhere. */
export function symbolName(symbol: symbol): string | undefined {
  // First, because what is well known in one version of Node is only in the registry of an older one.
  const wellKnown = WELL_KNOWN.get(symbol);
  if (wellKnown !== undefined) return wellKnown;
  const key = Symbol.keyFor(symbol);
  return key === undefined ? undefined : `=${key}`;
}

const WELL_KNOWN: ReadonlyMap<symbol, string> = new Map(
  Object.getOwnPropertyNames(Symbol).flatMap((name) => {
    const value: unknown = Reflect.get(Symbol, name);
    return typeof value === "symbol" ? [[value, name] as const] : [];
  }),
);

function collect(
  found: WeakMap<object, string>,
  globals: object,
  names: ReadonlySet<string>,
): WeakMap<object, string> {
  if (!found.has(globals)) found.set(globals, JSON.stringify(["globalThis"]));
  const queue: { value: object; path: readonly string[] }[] = [];
  const add = (value: unknown, path: readonly string[]): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || found.has(value))
      return;
    // A stand-in may show as a value what Node makes when it is asked for.
    if (names === STAND_INS && !exists(path)) return;
    found.set(value, JSON.stringify(path));
    if (path.length <= MAX_DEPTH) queue.push({ value, path });
  };
  for (const name of names) if (!NOT_READ.has(name)) add(readGlobal(globals, name), [name]);
  for (const name of Object.keys(NAMELESS_OF.get(names) ?? {})) add(nameless(name, globals), [name]);
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    addParts(next.value, next.path, add);
  return found;
}

function exists(path: readonly string[]): boolean {
  try {
    knownValue(JSON.stringify(path));
    return true;
  } catch {
    return false;
  }
}

function readGlobal(globals: object, name: string): unknown {
  try {
    return Reflect.get(globals, name);
  } catch {
    return undefined;
  }
}

function addParts(
  value: object,
  path: readonly string[],
  add: (part: unknown, path: readonly string[]) => void,
): void {
  if (path[0] === "process" && path.length > 1 && typeof value !== "function") return;
  for (const key of Reflect.ownKeys(value)) {
    const symbol = typeof key === "symbol" ? symbolName(key) : undefined;
    if (typeof key === "symbol" && symbol === undefined) continue;
    const name = typeof key === "symbol" ? `@@${symbol}` : key;
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined) continue;
    add(descriptor.value, [...path, `.${name}`]);
    add(descriptor.get, [...path, `<${name}`]);
    add(descriptor.set, [...path, `>${name}`]);
  }
  add(Object.getPrototypeOf(value), [...path, "^"]);
}
