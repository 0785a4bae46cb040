import { KitchenError } from "../core/errors.ts";

/** What a codec says of one value: what it holds, by path step, or why it cannot travel. */
export type Verdict = Iterable<readonly [step: string, value: unknown]> | { readonly refusal: string };

/** What a refusal calls the value and the codec. */
export interface Naming {
  readonly rootName: string;
  readonly codecName: string;
}

interface Found {
  readonly value: unknown;
  readonly step: string;
  readonly parent: Found | undefined;
}

/**
 * Looks at a value and all that it holds, each object once, without recursion; `judge` tells what a value holds or why
 * it is refused, and is given the way to it. @throws KitchenError `KS_CANNOT_ENCODE` with the path, for the first value that is refused
 */
export function judgeAll(
  root: unknown,
  { rootName, codecName }: Naming,
  judge: (value: unknown, path: () => string) => Verdict,
): void {
  const seen = new Set<unknown>();
  const queue: Found[] = [{ value: root, step: rootName, parent: undefined }];
  for (let found = queue.pop(); found !== undefined; found = queue.pop()) {
    const { value } = found;
    if (typeof value === "object" && value !== null) {
      if (seen.has(value)) continue;
      seen.add(value);
    }
    const verdict = judge(value, () => pathOf(found));
    if ("refusal" in verdict) throw cannotEncode(pathOf(found), codecName, verdict.refusal);
    for (const [step, held] of verdict) queue.push({ value: held, step, parent: found });
  }
}

export function cannotEncode(path: string, codecName: string, reason: string): KitchenError {
  return new KitchenError(
    "KS_CANNOT_ENCODE",
    `Cannot encode ${path} with the codec "${codecName}": ${reason}`,
  );
}

/** The own enumerable string keys as path steps. */
export function* ownSteps(value: object): Generator<readonly [string, unknown]> {
  for (const [key, held] of Object.entries(value)) yield [stepTo(key, Array.isArray(value)), held];
}

/** `.name`, `["odd name"]`, `[0]`. */
export function stepTo(key: string, isIndex: boolean): string {
  if (isIndex) return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function pathOf(found: Found): string {
  const steps: string[] = [];
  for (let at: Found | undefined = found; at !== undefined; at = at.parent) steps.unshift(at.step);
  return steps.join("");
}

/** For refusals: `a function`, `an instance of User`, `a symbol`. */
export function nameOfKind(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const constructor: unknown = Object.getPrototypeOf(value)?.constructor;
  return `an instance of ${typeof constructor === "function" && constructor.name !== "" ? constructor.name : "a class"}`;
}

export function isPlainObject(value: object): boolean {
  // Judged by the chain: objects of another realm (a vm context, a test runner) are as plain as ours.
  return chainLength(value) <= 1 && !Array.isArray(value);
}

/** How many prototypes stand above a value: 0 for a null prototype, 1 for a plain object, 2 for a Map. */
export function chainLength(value: object): number {
  let length = 0;
  for (let at: object | null = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at))
    length += 1;
  return length;
}
