export function setProto(target: object, proto: unknown): void {
  if (Object.getPrototypeOf(target) !== proto) Object.setPrototypeOf(target, proto as object | null);
}

/** Plain assignment would call the setter that every object inherits under this name. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else (target as Record<string, unknown>)[key] = value;
}
