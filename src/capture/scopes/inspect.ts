import type { InspectorNotification, Session, Debugger, Runtime } from "node:inspector";
import { clearTimeout, setTimeout } from "node:timers";
import { KitchenError, messageOf } from "../../core/errors.ts";
import { endOfPrototypes } from "../../core/realms.ts";

/** What V8 tells about an object beyond its properties. */
export interface Internals {
  readonly named: ReadonlyMap<string, Runtime.RemoteObject>;
  readonly privates: readonly PrivateEntry[];
}

export interface PrivateEntry {
  /** With the leading "#". */
  readonly name: string;
  readonly value?: Runtime.RemoteObject;
}

type PropertiesReply = Runtime.GetPropertiesReturnType & { privateProperties?: PrivateEntry[] };

interface Holder {
  value: unknown;
  call: (() => unknown) | null;
}

const GROUP = "kitchensink";
/** The more objects V8 holds for us, the slower it gets: with 500 of them each answer takes half as long again. */
const UNRELEASED_MAX = 12;
const HOLDER_NAME = "kitchensink.holder";
/** A function that is called over and over is captured again within this. */
const RELEASE_MS = 20;
const HOLDER_KEY = Symbol.for(HOLDER_NAME);
const HOLDER = `process.getBuiltinModule("node:inspector")[Symbol.for("${HOLDER_NAME}")]`;

/**
 * A debugger session on the own thread. Its answers come synchronously; values cross by way of an object that both
 * sides hold, so they keep their identity.
 */
export class Inspector {
  readonly session: Session;
  readonly #holder: Holder = { value: null, call: null };
  readonly #holderId: string;
  /** Handles by value, for as long as the object group that they belong to. */
  readonly #handles = new Map<unknown, string>();
  #isOn = false;
  #releasing: NodeJS.Timeout | undefined;
  #unreleased = 0;

  constructor() {
    const module = process.getBuiltinModule("node:inspector");
    this.session = new module.Session();
    this.session.connect();
    const { result } = this.#expose(() =>
      this.post<Runtime.EvaluateReturnType>("Runtime.evaluate", { expression: HOLDER }),
    );
    if (result.objectId === undefined) throw unavailable("its main context cannot be reached");
    this.#holderId = result.objectId;
  }

  // The protocol ties the type of each reply to its method; the caller names it.
  // oxlint-disable-next-line no-unnecessary-type-parameters
  post<Reply>(method: string, parameters: object = {}): Reply {
    let failure: Error | null = null;
    let reply: unknown;
    let isDone = false;
    this.session.post(method, parameters, (error: Error | null, result?: object) => {
      failure = error;
      reply = result;
      isDone = true;
    });
    if (!isDone) throw unavailable(`it did not answer ${method} at once`);
    if (failure !== null)
      throw Object.assign(new Error(`${method}: ${(failure as Error).message}`), { cause: failure });
    return reply as Reply;
  }

  /** Runs `use` with the debugger on, and off again afterwards, because awaiting is many times slower with it. */
  debugging<T>(use: () => T): T {
    this.#turn(true);
    try {
      return use();
    } finally {
      if (!isLasting) this.#turn(false);
    }
  }

  off(): void {
    this.#turn(false);
  }

  #turn(on: boolean): void {
    if (this.#isOn === on) return;
    this.post(on ? "Debugger.enable" : "Debugger.disable");
    this.#isOn = on;
  }

  /** A handle on `value`, good until {@link release}. Making one takes a message that holds the text of a function. */
  handle(value: unknown): string {
    const known = this.#handles.get(value);
    if (known !== undefined) return known;
    this.#holder.value = value;
    const { result } = this.post<Runtime.CallFunctionOnReturnType>("Runtime.callFunctionOn", {
      objectId: this.#holderId,
      functionDeclaration: "function(){return this.value}",
      objectGroup: GROUP,
    });
    this.#holder.value = null;
    this.#handles.set(value, result.objectId as string);
    return result.objectId as string;
  }

  internals(value: unknown): Internals {
    const reply = this.post<PropertiesReply>("Runtime.getProperties", {
      objectId: this.handle(value),
      ownProperties: true,
      nonIndexedPropertiesOnly: true,
    });
    const named = new Map<string, Runtime.RemoteObject>();
    for (const { name, value: inner } of reply.internalProperties ?? []) if (inner) named.set(name, inner);
    return { named, privates: reply.privateProperties ?? [] };
  }

  /** The real value behind a handle. */
  take(remote: Runtime.RemoteObject | undefined): unknown {
    if (remote === undefined) return undefined;
    if (remote.objectId === undefined) return primitiveOf(remote);
    this.post("Runtime.callFunctionOn", {
      objectId: remote.objectId,
      // Strict, for a symbol would be an object as `this` otherwise.
      functionDeclaration: 'function(holder){"use strict";holder.value=this}',
      arguments: [{ objectId: this.#holderId }],
      objectGroup: GROUP,
    });
    const { value } = this.#holder;
    this.#holder.value = null;
    return value;
  }

  /**
   * The real value behind a handle that was made in the vm context of `fn`, which takes no handle of another one. What
   * all objects of a context see is the end of their prototypes.
   */
  takeNear(fn: object, remote: Runtime.RemoteObject): unknown {
    if (remote.objectId === undefined) return primitiveOf(remote);
    const root = endOfPrototypes(fn);
    Object.defineProperty(root, HOLDER_KEY, { value: this.#holder, configurable: true });
    try {
      this.post("Runtime.callFunctionOn", {
        objectId: remote.objectId,
        functionDeclaration: `function(){({})[Symbol.for("${HOLDER_NAME}")].value=this}`,
        objectGroup: GROUP,
      });
      return this.#holder.value;
    } finally {
      this.#holder.value = null;
      Reflect.deleteProperty(root, HOLDER_KEY);
    }
  }

  /**
   * Without this every object that was looked at stays in memory. The message is put off for a moment, or until many
   * objects wait for it: often the same function is captured again soon, and its handle is good until then.
   */
  release(): void {
    if (++this.#unreleased >= UNRELEASED_MAX) this.#releaseNow();
    else this.#releasing ??= setTimeout(() => this.#releaseNow(), RELEASE_MS).unref();
  }

  #releaseNow(): void {
    clearTimeout(this.#releasing);
    this.#releasing = undefined;
    this.#unreleased = 0;
    this.#handles.clear();
    this.post("Runtime.releaseObjectGroup", { objectGroup: GROUP });
  }

  /** Evaluates `call` where the debugger can end it: only an evaluation with a timeout takes its end well. */
  evaluateCall(call: () => unknown): void {
    this.#holder.call = call;
    try {
      const expression = `${HOLDER}.call()`;
      this.#expose(() =>
        this.post("Runtime.evaluate", { expression, timeout: 60_000, silent: true, objectGroup: GROUP }),
      );
    } catch (error) {
      if (!/terminated/i.test((error as Error).message)) throw error;
    } finally {
      this.#holder.call = null;
    }
  }

  /**
   * Lets evaluated text see the holder while `use` runs. Not on globalThis: in a vm context that is not the object
   * which evaluations see, and builtin modules are.
   */
  #expose<T>(use: () => T): T {
    const shared = process.getBuiltinModule("node:inspector") as unknown as Record<symbol, unknown>;
    shared[HOLDER_KEY] = this.#holder;
    try {
      return use();
    } finally {
      delete shared[HOLDER_KEY];
    }
  }
}

/** Deno and Bun have one by this name that answers late, and that ends the kernel of Deno's notebooks. */
const isOfNode = !("deno" in process.versions || "bun" in process.versions);
let inspector: Inspector | undefined;
let isLasting = false;

/**
 * Within `use`, the debugger stays on once it was needed. Turning it on takes long, because it tells about every
 * script.
 */
export function inOneBurst<T>(use: () => T): T {
  if (isLasting) return use();
  isLasting = true;
  try {
    return use();
  } finally {
    isLasting = false;
    inspector?.off();
  }
}

/** @throws KitchenError `KS_CANNOT_CAPTURE` where the inspector does not exist or may not be used. */
export function theInspector(): Inspector {
  if (inspector !== undefined) return inspector;
  if (!isOfNode) throw unavailable("it is not that of Node");
  try {
    inspector = new Inspector();
  } catch (cause) {
    if (cause instanceof KitchenError) throw cause;
    throw unavailable(messageOf(cause));
  }
  return inspector;
}

function unavailable(why: string): KitchenError {
  return new KitchenError(
    "KS_CANNOT_CAPTURE",
    `Cannot read captured variables: the inspector of this runtime cannot be used (${why}); name them yourself with closure(fn, { name: value }); with {} when the function uses nothing but globals`,
  );
}

function primitiveOf({ type, subtype, value, unserializableValue }: Runtime.RemoteObject): unknown {
  if (unserializableValue === undefined) return subtype === "null" ? null : (value as unknown);
  if (type === "bigint") return BigInt(unserializableValue.slice(0, -1));
  return unserializableValue === "-0" ? -0 : Number(unserializableValue);
}

/** What V8 says of a script when it is asked for all of them. */
export interface ScriptInfo {
  readonly scriptId: string;
  readonly url: string;
  /** Written with import and export, and loaded as such. */
  readonly isModule: boolean;
}

const scripts = new Map<string, ScriptInfo>();

/** The file of a script. */
export function scriptUrl(scriptId: string): string {
  return scriptInfo(scriptId).url;
}

export function scriptInfo(scriptId: string): ScriptInfo {
  if (!scripts.has(scriptId)) readScripts();
  const info = scripts.get(scriptId) ?? { scriptId, url: "", isModule: false };
  scripts.set(scriptId, info);
  return info;
}

/** All scripts that V8 still has of one file, oldest first. */
export function scriptsOf(url: string): ScriptInfo[] {
  const known = withUrl(url);
  if (known.length > 0) return known;
  readScripts();
  return withUrl(url);
}

function withUrl(url: string): ScriptInfo[] {
  return [...scripts.values()].filter((script) => script.url === url);
}

/**
 * Learns of scripts that were compiled since. Only turning the debugger on tells about them, so it is a session of its own
 * that does: another one may need its breakpoints.
 */
export function readScripts(): void {
  if (!isOfNode) return;
  const { Session: FreshSession } = process.getBuiltinModule("node:inspector");
  const session = new FreshSession();
  const remember = ({ params }: InspectorNotification<Debugger.ScriptParsedEventDataType>): void => {
    const { scriptId, url, isModule = false } = params;
    scripts.set(scriptId, { scriptId, url, isModule });
  };
  session.connect();
  session.on("Debugger.scriptParsed", remember);
  try {
    session.post("Debugger.enable");
  } finally {
    session.disconnect();
  }
}

const sources = new Map<string, string>();
const SOURCES_KEPT = 50;

/** The text of a script as V8 compiled it. */
export function scriptSource(scriptId: string): string {
  const known = sources.get(scriptId);
  if (known !== undefined) return known;
  const own = theInspector();
  const { scriptSource: text } = own.debugging(() =>
    own.post<Debugger.GetScriptSourceReturnType>("Debugger.getScriptSource", { scriptId }),
  );
  if (sources.size >= SOURCES_KEPT) sources.clear();
  sources.set(scriptId, text);
  return text;
}
