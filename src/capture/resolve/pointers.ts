/** What the instances of a class stand for when they are pointers: to data that lies elsewhere. */
export interface PointerKind {
  /**
   * What an instance points to. `path` tells where it was found.
   * @throws Error when it cannot travel, which is thrown where it was to be captured
   */
  target(value: object, path: () => string): string;
  /** Of a job: its id. */
  jobId?(value: object): string;
  /** An instance that was revived here, with its own properties. */
  revived?(value: object): void;
}

// One a process, not one a copy of this package: whichever copy made an instance, all know it for a pointer.
const KINDS = Symbol.for("kitchensink.pointer-kinds");
const holder = globalThis as { [KINDS]?: WeakMap<object, PointerKind> };
const kinds = (holder[KINDS] ??= new WeakMap<object, PointerKind>());

/**
 * Makes whatever inherits from `prototype` a pointer: what is captured tells the targets of all that it holds. The
 * instances themselves travel like any others.
 */
export function sharePointers(prototype: object, kind: PointerKind): void {
  kinds.set(prototype, kind);
}

/** Undefined for what is no pointer. Not for proxies: their traps would run. */
export function pointerKindOf(value: object): PointerKind | undefined {
  let proto = Object.getPrototypeOf(value) as object | null;
  while (proto !== null) {
    const kind = kinds.get(proto);
    if (kind !== undefined) return kind;
    proto = Object.getPrototypeOf(proto) as object | null;
  }
  return undefined;
}

/** Whether what inherits from `value` is a pointer. */
export function isPointerPrototype(value: unknown): boolean {
  return typeof value === "object" && value !== null && kinds.has(value);
}
