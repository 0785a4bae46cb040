/** What the model and a store have to agree on, in a form that can be compared and read. */
import { createHash } from "node:crypto";
import type { Call } from "./calls.ts";
import { UNIT_MS } from "./steps.ts";

/** Lists that come in no certain order. */
const UNORDERED = new Set(["active", "someActive", "nodes", "exhausted", "running", "due", "waiting"]);

/** Bytes as texts, and without `isExact` no points in time, and lengths of time in whole units. */
export function comparable(value: unknown, isExact: boolean, name = ""): unknown {
  if (value instanceof Uint8Array) return shortened(Buffer.from(value).toString());
  if (value instanceof Map)
    return new Map(Array.from(value, ([key, inner]) => [key, inOrder(comparable(inner, isExact))]));
  if (Array.isArray(value)) {
    const list = value.map((inner: unknown) => comparable(inner, isExact, name));
    return UNORDERED.has(name) ? inOrder(list) : list;
  }
  if (typeof value === "number") return timeOf(value, name, isExact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([inner, one]) => [inner, comparable(one, isExact, inner)]),
  );
}

function timeOf(value: number, name: string, isExact: boolean): unknown {
  if (isExact) return value;
  if (name.endsWith("AtMs")) return "a time";
  return name === "nextVisibleMs" || name === "nextMs" ? Math.ceil(value / UNIT_MS) * UNIT_MS : value;
}

function inOrder(list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  const keys = new Map(list.map((one: unknown) => [one, JSON.stringify(one)]));
  return list.toSorted((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : 1));
}

function shortened(text: string): string {
  if (text.length < 100) return text;
  return `${text.length} bytes ${createHash("sha1").update(text).digest("hex").slice(0, 8)}`;
}

/** A call in one line: `claim n1 {"queues":["default"],"count":1,"takesData":true}`. */
export function shownCall(call: Call): string {
  const { do: what, ...rest } = call;
  return `${what} ${JSON.stringify(comparable(rest, true), (_name, value: unknown) => (value instanceof Map ? [...value] : value))}`;
}
