import { rewritten } from "./rewritten.ts";
import { judgeAll, type Naming, type Verdict } from "./walk.ts";

/**
 * How pointers to remote data travel in codecs that know no classes: as an object of this one key, which holds the
 * data url; and of the other one, when the pointer was given a codec for bytes that were saved without one.
 */
export const POINTER_KEY = "kitchensink:data";
export const POINTER_CODEC_KEY = "kitchensink:codec";

/** What stands for a pointer. */
interface Marker {
  readonly [POINTER_KEY]: string;
  readonly [POINTER_CODEC_KEY]?: string;
}

/** What codecs have to know of pointers; told by who has their class. */
export interface Pointers {
  isPointer(value: object): boolean;
  /** The data url. @throws KitchenError `KS_USAGE` when there is none; `path` tells where the pointer is */
  target(pointer: object, path: () => string): string;
  /** What it was given to decode the bytes with; undefined: what they were saved with. */
  codec(pointer: object): string | undefined;
  /** @throws KitchenError `KS_BAD_REQUEST` when it is no data url */
  pointerTo(target: string, codec: string | undefined): object;
}

let known: Pointers | undefined;
let noted: Set<string> | undefined;

export function setPointers(pointers: Pointers): void {
  known = pointers;
}

export function isPointer(value: object): boolean {
  return known?.isPointer(value) === true;
}

/** As {@link judgeAll}, of data that may hold pointers: tells whether it does. Those that cannot travel are refused. */
export function judgeWithPointers(
  root: unknown,
  naming: Naming,
  judge: (value: unknown) => Verdict,
): boolean {
  let isFound = false;
  judgeAll(root, naming, (value, path) => {
    if (typeof value !== "object" || value === null || !isPointer(value)) return judge(value);
    markerOf(value, path);
    isFound = true;
    return [];
  });
  return isFound;
}

/** What stands for a pointer in the bytes. */
export function markerOf(pointer: object, path: () => string): object {
  const target = known?.target(pointer, path) ?? "";
  noted?.add(target);
  const codec = known?.codec(pointer);
  return { [POINTER_KEY]: target, ...(codec === undefined ? {} : { [POINTER_CODEC_KEY]: codec }) };
}

/** A copy of data with the markers in the places of pointers. */
export function rewrittenPointers(value: unknown): unknown {
  return rewritten(value, (held) =>
    isPointer(held) ? { by: markerOf(held, () => "the value") } : undefined,
  );
}

/** Whether bytes may hold markers: tells quickly that most do not. */
export function mayHoldPointers(bytes: Uint8Array): boolean {
  return (
    known !== undefined && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(POINTER_KEY)
  );
}

/** A copy of data with pointers in the places of their markers. @throws KitchenError for what is no data url */
export function revivedPointers(value: unknown): unknown {
  return rewritten(value, (held) =>
    isMarker(held) && known !== undefined
      ? { by: known.pointerTo(held[POINTER_KEY], held[POINTER_CODEC_KEY]) }
      : undefined,
  );
}

/** Whether a plain object looks like what stands for a pointer. */
export function isMarker(value: object): value is Marker {
  if (!Object.hasOwn(value, POINTER_KEY) || typeof Reflect.get(value, POINTER_KEY) !== "string") return false;
  const { length } = Object.keys(value);
  if (length === 1) return true;
  return (
    length === 2 &&
    Object.hasOwn(value, POINTER_CODEC_KEY) &&
    typeof Reflect.get(value, POINTER_CODEC_KEY) === "string"
  );
}

/** Why an object of the user's that looks like a marker is refused. */
export const LOOKS_LIKE_POINTER: string = `it has no key but "${POINTER_KEY}", or that and "${POINTER_CODEC_KEY}", which stands for remote data; add another key`;

/** Runs `encode`, and gives with its result the targets of the pointers that were encoded, each once. */
export function notingPointers<T>(encode: () => T): {
  readonly result: T;
  readonly targets: readonly string[];
} {
  const before = noted;
  const targets = (noted = new Set());
  try {
    return { result: encode(), targets: [...targets] };
  } finally {
    noted = before;
  }
}
