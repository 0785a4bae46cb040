import { randomBytes } from "node:crypto";

const PROCESS_ID = randomBytes(9).toString("base64url");
const KEPT = 10_000;
const own = new Map<string, WeakRef<object>>();
const names = new WeakMap<object, string>();
const foreign = new WeakSet<object>();
let count = 0;

/** The name under which the process that made a class knows it again. */
export function originOf(klass: object): string {
  const known = names.get(klass);
  if (known !== undefined) return known;
  const origin = `${PROCESS_ID}.${count++}`;
  names.set(klass, origin);
  own.set(origin, new WeakRef(klass));
  if (own.size > KEPT) own.delete(own.keys().next().value as string);
  return origin;
}

/** Remembers that a class was made elsewhere, so that it goes back as what it is there. */
export function setOrigin(klass: object, origin: string): void {
  names.set(klass, origin);
  foreign.add(klass);
}

/** This process's own class that was sent under `origin`, when it still exists. */
export function ownClass(origin: string): object | undefined {
  return own.get(origin)?.deref();
}

/** Tells whether a class was made here and is known elsewhere. */
export function isOwnClass(klass: object): boolean {
  return names.has(klass) && !foreign.has(klass);
}
