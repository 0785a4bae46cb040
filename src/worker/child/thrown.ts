import { capture } from "../../capture/capture.ts";
import { encodeOutcome } from "../../codec/wire.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { WireError } from "../../core/messages.ts";
import { isOwnFrame } from "../../core/own-code.ts";
import { thrownLine } from "./thrown-line.ts";
import { withNamedClasses } from "./named-classes.ts";

/** Longer texts are cut in the plain fields; `detail` still has them whole. */
const TEXT_LIMIT = 64 * 1024;

/**
 * The outcome of a run that threw `thrown`, whatever that was. Never throws.
 * @param keepsClasses whether classes of errors travel with them: those that came along with a captured function do;
 *   those of registered functions are known to the caller by name, or not at all
 */
export function outcomeOfThrown(thrown: unknown, { keepsClasses }: { keepsClasses: boolean }): Uint8Array {
  return encodeOutcome({ type: "error", error: wireError(thrown, keepsClasses) });
}

function wireError(thrown: unknown, keepsClasses: boolean): WireError {
  if (!(thrown instanceof Error) && !isErrorLike(thrown))
    return {
      name: "",
      message: safeText(() => String(thrown)),
      stack: "",
      code: null,
      detail: captured(thrown),
      source: null,
    };
  trimStacks(thrown, new Set());
  const message = safeText(() => thrown.message);
  const stack = safeText(() => thrown.stack);
  return {
    name: safeText(() => thrown.name),
    message,
    stack,
    code: thrown instanceof KitchenError ? thrown.code : null,
    detail: captured(keepsClasses && !(thrown instanceof KitchenError) ? thrown : withNamedClasses(thrown)),
    source: thrownLine(stack, message),
  };
}

/** As it is, but for frames of this project's own code, which are cut off. */
export function withoutOwnFrames(thrown: unknown): unknown {
  if (thrown instanceof Error || isErrorLike(thrown)) trimStacks(thrown, new Set());
  return thrown;
}

/** Errors of another realm, such as a vm context, are no `instanceof Error` here. */
function isErrorLike(value: unknown): value is Error {
  return Object.prototype.toString.call(value) === "[object Error]";
}

/**
 * What was thrown, captured. When a property cannot travel, the error goes without it and with a note in its place:
 * a stack trace must never be lost because a socket hung on the error.
 */
function captured(thrown: unknown): Uint8Array | null {
  try {
    return capture(thrown);
  } catch {
    return thrown instanceof Error ? capturedInParts(thrown) : null;
  }
}

function capturedInParts(error: Error): Uint8Array | null {
  const copy = Object.create(Object.getPrototypeOf(error)) as Error;
  Object.defineProperties(copy, Object.getOwnPropertyDescriptors(new Error(error.message)));
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(error)))
    Object.defineProperty(copy, key, { ...descriptor, ...portable(descriptor) });
  try {
    return capture(copy);
  } catch {
    // Its class cannot travel either: the plain fields have to do.
    return null;
  }
}

function portable(descriptor: PropertyDescriptor): PropertyDescriptor {
  if (!("value" in descriptor)) return {};
  try {
    capture(descriptor.value);
    return {};
  } catch (refusal) {
    return { value: `[left behind: ${messageOf(refusal)}]` };
  }
}

/** Cuts the frames of this project's own code off the stacks of an error, its causes and its parts. */
function trimStacks(error: Error, seen: Set<unknown>): void {
  if (seen.has(error)) return;
  seen.add(error);
  const stack: unknown = error.stack;
  if (typeof stack === "string") setStack(error, trimmed(stack));
  const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
  for (const part of [error.cause, ...parts]) if (part instanceof Error) trimStacks(part, seen);
}

/** A generator that runs is called by the worker's own code. */
const CALLED_GENERATOR = /\n\s+at (Async)?Generator\.(next|return) \(<anonymous>\)$/;

/**
 * The frames of whoever called this package, and of what they called: those above the first one of the worker's own code,
 * for what is below it runs every job alike. What this package itself threw begins with frames of its own.
 */
function trimmed(stack: string): string {
  if (!isOwnFrame(stack)) return stack;
  const lines = stack.split("\n");
  const top = lines.findIndex((line) => FRAME.test(line));
  const frames = lines.slice(top).filter((line) => !NO_USERS.test(line));
  const caller = frames.findIndex((line) => !isOwnFrame(line));
  const users = caller < 0 ? [] : frames.slice(caller);
  const end = users.findIndex((line) => FRAME.test(line) && isOwnFrame(line));
  const shown = end < 0 ? users : users.slice(0, end);
  return [...lines.slice(0, top), ...shown].join("\n").replace(CALLED_GENERATOR, "");
}

const FRAME = /^\s+at /;
const NO_USERS = /^\s+at (async )?(AsyncLocalStorage|node:internal|process\.processTicksAndRejections)/;

function setStack(error: Error, stack: string): void {
  try {
    Object.defineProperty(error, "stack", {
      value: stack,
      configurable: true,
      writable: true,
      enumerable: false,
    });
  } catch {
    // A frozen error keeps the stack it has.
  }
}

function safeText(read: () => unknown): string {
  try {
    const text = read();
    return typeof text === "string" ? text.slice(0, TEXT_LIMIT) : "";
  } catch {
    return "";
  }
}
