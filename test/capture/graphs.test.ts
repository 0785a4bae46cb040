import * as fc from "fast-check";
import { expect, test } from "vitest";
import { capture } from "../../src/capture/capture.ts";
import { revive } from "../../src/capture/revive.ts";

type Any = any;

/** Each maker gives an empty thing, a way to put references into it, and a way to see what is in it. */
const makers: readonly (() => { value: Any; add: (other: Any) => void })[] = [
  () => {
    const value: Any = {};
    return { value, add: (other) => (value[`k${Object.keys(value).length}`] = other) };
  },
  () => {
    const value: Any[] = [];
    return { value, add: (other) => value.push(other) };
  },
  () => {
    const value = new Map<Any, Any>();
    return { value, add: (other) => value.set(value.size, other) };
  },
  () => {
    const value = new Set<Any>();
    return { value, add: (other) => value.add(other) };
  },
  () => {
    const held: Any[] = [];
    return { value: () => held, add: (other) => held.push(other) };
  },
  () => {
    let count = 0;
    const held: Any[] = [];
    const read = (): Any => [count, held];
    const value = Object.assign(() => ++count, { read });
    return { value, add: (other) => held.push(other) };
  },
];

/** Numbers what can be reached in the order of reaching it, so that equal shapes give equal texts. */
function describeGraph(root: Any): string {
  const ids = new Map<Any, number>([[root, 0]]);
  const lines: string[] = [];
  const name = (value: Any): string => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(value);
    if (!ids.has(value)) ids.set(value, ids.size);
    return `#${ids.get(value)}`;
  };
  for (const value of ids.keys()) lines.push(`${name(value)} = ${partsOf(value).map(name).join(" ")}`);
  return lines.join("\n");
}

function partsOf(value: Any): Any[] {
  if (Array.isArray(value)) return ["array", ...value];
  if (value instanceof Map) return ["map", ...[...value].flat()];
  if (value instanceof Set) return ["set", ...value];
  if (typeof value === "function")
    return "read" in value ? ["counter", value(), ...value.read()] : ["function", value()];
  return ["object", ...Object.entries(value).flat()];
}

test("random graphs of data, functions and shared variables survive", () => {
  const graph = fc.array(fc.tuple(fc.nat(makers.length - 1), fc.array(fc.nat(11), { maxLength: 4 })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(graph, (plan) => {
      const made = plan.map(([kind]) => (makers[kind] as (typeof makers)[number])());
      plan.forEach(([, links], index) =>
        links.forEach((link) => made[index]?.add(made[link % made.length]?.value)),
      );
      const root = made[0]?.value;
      const bytes = capture(root);
      // The two are read at the same counts: each counter goes up by one when it is described.
      expect(describeGraph(revive(bytes))).toBe(describeGraph(root));
    }),
    { numRuns: 60 },
  );
}, 60_000);
