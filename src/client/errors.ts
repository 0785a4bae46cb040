import { types } from "node:util";
import { revive } from "../capture/revive.ts";
import { mapLocalFrames, mapStack } from "../capture/stacks/stacks.ts";
import { KitchenError, isErrorCode, type ErrorCode } from "../core/errors.ts";
import { CLASS_NAME_KEY } from "../core/named-class.ts";
import { isOwnFrame } from "../core/own-code.ts";
import { isOfSameRealm } from "../core/realms.ts";
import type { WireError } from "../core/messages.ts";

type ErrorClass = abstract new (...args: never[]) => Error;

const registered = new Map<string, ErrorClass>();

/**
 * Makes an error class known by its name, so that errors of that name that registered functions throw arrive as its
 * instances. The constructor is not called: message, stack, cause and own properties are put on a fresh instance.
 *
 * @throws KitchenError `KS_USAGE` when another class has that name
 * @example
 * ```ts
 * class OutOfStock extends Error { override name = "OutOfStock"; }
 * registerError(OutOfStock);
 * await shop.buy("hat").catch((error) => error instanceof OutOfStock); // true
 * ```
 */
export function registerError(errorClass: ErrorClass): void {
  const { name } = errorClass;
  const known = registered.get(name);
  // Jest runs test files one after the other in a realm each, and the classes of the last one are gone.
  if (known !== undefined && known !== errorClass && isOfSameRealm(known, errorClass))
    throw new KitchenError(
      "KS_USAGE",
      `Cannot register a second error class called "${name}": rename one of them`,
    );
  registered.set(name, errorClass);
}

/**
 * What a remote function threw when its class is not known here; `name` is the original's, and so are `message`, `cause`,
 * own properties and stack.
 *
 * @example
 * ```ts
 * await shop.buy("hat").catch((error) => error instanceof RemoteError && error.name === "OutOfStock"); // true
 * ```
 */
export class RemoteError extends Error {
  /** @internal */
  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, "name", {
      value: name,
      configurable: true,
      writable: true,
      enumerable: false,
    });
  }
}

const BUILT_IN: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((kind) => [
    kind.name,
    kind,
  ]),
);

export interface Arrival {
  /** Names the place of the remote frames. */
  readonly where: string;
  /** The stack of the code that waits. */
  readonly awaiting: string;
  /** The global object of the vm context of the code that waits, when it is not that of this package. */
  readonly realm?: object | undefined;
}

/** What was thrown, as it was thrown, with a stack that goes from the remote frames on to the line that awaits. */
export function reviveThrown(error: WireError, arrival: Arrival): unknown {
  const thrown = valueOf(error, arrival);
  if (isError(thrown)) extendStack(thrown, arrival);
  return thrown;
}

/** Errors of another vm context are no `instanceof Error` of this one. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** What was thrown, as an error. */
export function errorOf(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown));
}

function valueOf(error: WireError, arrival: Arrival): unknown {
  const { detail, code, message } = error;
  if (detail === null) return isErrorCode(code) ? ownError(code, message) : plainError(error);
  try {
    const value = revive(detail, arrival);
    return isError(value) ? withItsClass(value, error) : value;
  } catch (cause) {
    // A codec of another version, or an npm module that is not here: the fields in plain text still tell the story.
    return Object.assign(plainError(error), { cause });
  }
}

/** An error that a node made: it has no frames of its own, and those of this process are not where it happened. */
function ownError(code: ErrorCode, message: string): KitchenError {
  const error = new KitchenError(code, message);
  setStack(error, `${error.name}: ${message}`);
  return error;
}

function plainError({ name, message, stack }: WireError): Error {
  const kind = registered.get(name) ?? BUILT_IN.get(name);
  const error = kind === undefined ? new RemoteError(name, message) : instanceOf(kind, message);
  setStack(error, stack);
  return error;
}

/** Gives errors that are marked with a class's name that class, where it is known here; causes and parts too. */
function withItsClass(error: Error, { code }: Pick<WireError, "code">, seen = new Set<unknown>()): Error {
  if (seen.has(error)) return error;
  seen.add(error);
  for (const part of partsOf(error)) withItsClass(part, { code: null }, seen);
  const className = takeClassName(error);
  if (isErrorCode(code) && className === "KitchenError")
    return Object.setPrototypeOf(error, KitchenError.prototype) as Error;
  if (className === undefined) return error;
  const kind = registered.get(className);
  return Object.setPrototypeOf(
    error,
    kind === undefined ? RemoteError.prototype : (kind.prototype as object),
  ) as Error;
}

function takeClassName(error: Error): string | undefined {
  const name: unknown = Reflect.get(error, CLASS_NAME_KEY);
  if (typeof name !== "string") return undefined;
  Reflect.deleteProperty(error, CLASS_NAME_KEY);
  return name;
}

function instanceOf(kind: ErrorClass, message: string): Error {
  const error = new Error(message);
  return Object.setPrototypeOf(error, kind.prototype as object) as Error;
}

function extendStack(error: Error, { where, awaiting }: Arrival): void {
  mapStacks(error, new Set());
  const remote = error.stack ?? "";
  setStack(error, [remote, `    at ${where}`, awaiting].filter((part) => part !== "").join("\n"));
}

/** Has the stacks of an error, its causes and its parts show the caller's own files. */
function mapStacks(error: Error, seen: Set<unknown>): void {
  if (seen.has(error)) return;
  seen.add(error);
  const isWritten = typeof error.stack === "string" && error.stack !== "";
  setStack(error, isWritten ? mapStack(error.stack ?? "") : `${error.name}: ${error.message}`);
  for (const part of partsOf(error)) mapStacks(part, seen);
}

/** The errors that an error holds: its cause, and those that an AggregateError joins. */
function partsOf(error: Error): Error[] {
  const joined: unknown = Reflect.get(error, "errors");
  return [error.cause, ...(Array.isArray(joined) ? (joined as unknown[]) : [])].filter(isError);
}

function setStack(error: Error, stack: string): void {
  try {
    Object.defineProperty(error, "stack", {
      value: stack,
      configurable: true,
      writable: true,
      enumerable: false,
    });
  } catch {
    // Frozen: it keeps the stack it came with.
  }
}

/**
 * The frames of the code that awaits the calling async function, without those of this package. Made where an async
 * function goes on, V8 knows who waits for it.
 */
export function awaitingFrames(): string {
  const shown = (new Error("where").stack ?? "").split("\n").slice(1);
  const raw = rawFrames();
  return shown
    .map((line, index) => ({ line, isRaw: line === raw[index] }))
    .filter(({ line }) => !isOwnFrame(line) && !/[( ]node:/.test(line))
    .map(({ line, isRaw }) => (isRaw ? mapLocalFrames(line) : line))
    .join("\n");
}

/** Adds the line that awaits to an error that came without it, when somebody is known to. Gives what it is given. */
export function seenFromHere(reason: unknown): unknown {
  const awaiting = awaitingFrames();
  if (!isError(reason) || awaiting === "" || reason.stack?.endsWith(awaiting) === true) return reason;
  setStack(reason, `${reason.stack ?? `${reason.name}: ${reason.message}`}\n${awaiting}`);
  return reason;
}

/** Frames as V8 knows them: where they are shown differently, a tool has looked into the source maps already. */
function rawFrames(): string[] {
  const before = Reflect.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  let frames: string[] = [];
  const prepareStackTrace = (_error: unknown, sites: readonly unknown[]): string[] =>
    (frames = sites.map((site) => `    at ${String(site)}`));
  Object.defineProperty(Error, "prepareStackTrace", { value: prepareStackTrace, configurable: true });
  try {
    const holder = { stack: "" };
    Error.captureStackTrace(holder, rawFrames);
    // Reading it is what makes it.
    void holder.stack;
    return frames;
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", before);
  }
}
