import * as fc from "fast-check";
import { expect, test } from "vitest";
import { capture } from "../../src/capture/capture.ts";
import { revive } from "../../src/capture/revive.ts";
import { GraphDescription } from "./support/describe-graph.ts";
import { programs } from "./support/random-programs.ts";

type Callable = (this: unknown, argument: unknown) => unknown;

interface Thing {
  readonly value: object;
  /** Puts a reference to another thing into it. */
  readonly add: (other: unknown) => void;
}

let instances = 0;
class Account {
  static made = 0;
  static #opened = 0;
  #held: unknown[] = [];
  own: unknown;
  constructor() {
    Account.made = ++Account.#opened;
    this.own = instances++;
  }
  hold(other: unknown): void {
    this.#held.push(other);
  }
  get held(): unknown[] {
    return this.#held;
  }
  see = (): unknown => [this.#held, Account.#opened];
}
class Saving extends Account {
  #more = new Map<unknown, unknown>();
  override hold(other: unknown): void {
    this.#more.set(this.#more.size, other);
    super.hold(this.#more);
  }
}

/** Makes one thing of each kind, empty but for what it is. */
const makers: readonly (() => Thing)[] = [
  () => {
    const value: Record<string | symbol, unknown> = {};
    return {
      value,
      add: (other) =>
        (value[Object.keys(value).length % 2 ? Symbol("key") : `k${Object.keys(value).length}`] = other),
    };
  },
  () => {
    const value: unknown[] = [];
    return { value, add: (other) => value.push(other) };
  },
  () => {
    const value = new Map<unknown, unknown>();
    return { value, add: (other) => value.set(other, value.size) };
  },
  () => {
    const value = new Set<unknown>();
    return { value, add: (other) => value.add(other) };
  },
  () => {
    let link: unknown = null;
    const value = (): unknown => link;
    return { value, add: (other) => (link = link === null ? other : [link, other]) };
  },
  () => {
    let link: unknown = null;
    const value = Object.assign((next: unknown): unknown => (link = next), { see: (): unknown => link });
    return { value, add: (other) => (link = other) };
  },
  () => {
    const value = new Account();
    return { value, add: (other) => value.hold(other) };
  },
  () => {
    const value = new Saving();
    return { value, add: (other) => value.hold(other) };
  },
  () => {
    const bytes = new ArrayBuffer(16);
    const value = Object.assign([new Uint8Array(bytes, 4, 4), new Float64Array(bytes)], { bytes });
    return { value, add: (other) => Object.assign(value, { [`k${Object.keys(value).length}`]: other }) };
  },
  () => {
    const value = {};
    let hidden: unknown = 0;
    Object.defineProperty(value, "v", {
      get: () => hidden,
      set: (x: unknown): void => {
        hidden = x;
      },
      enumerable: true,
    });
    return { value, add: (other) => (hidden = other) };
  },
  () => {
    const value = new Error("told", { cause: [] });
    return { value, add: (other) => (value.cause as unknown[]).push(other) };
  },
  () => {
    const held: unknown[] = [];
    const value = Reflect.apply(Function.prototype.bind, (list: unknown[]) => list, [null, held]) as object;
    return { value, add: (other) => held.push(other) };
  },
  () => {
    const value = Object.create({ inherited: new Date(3) }) as { own?: unknown };
    return { value, add: (other) => (value.own = other) };
  },
];

interface Plan {
  readonly program: string;
  /** Kinds of things, and what each refers to: other things, and functions of the program. */
  readonly things: readonly (readonly [kind: number, links: readonly number[]])[];
  /** Which function is called with which argument. */
  readonly calls: readonly (readonly [fn: number, argument: number])[];
  /** Which functions are captured together before that. */
  readonly groups: readonly (readonly number[])[];
}

const plans = fc.record<Plan>({
  program: programs,
  things: fc.array(fc.tuple(fc.nat(makers.length - 1), fc.array(fc.nat(20), { maxLength: 4 })), {
    maxLength: 8,
  }),
  calls: fc.array(fc.tuple(fc.nat(30), fc.nat(9)), { maxLength: 12 }),
  groups: fc.array(fc.array(fc.nat(30), { minLength: 2, maxLength: 3 }), { maxLength: 5 }),
});

interface Root {
  readonly functions: readonly Callable[];
  readonly things: readonly object[];
}

function build({ program, things }: Plan): Root {
  const functions: Callable[] = [];
  // oxlint-disable-next-line no-new-func -- the program is made for this
  new Function("made", program)(functions);
  const made = things.map(([kind]) => (makers[kind] as () => Thing)());
  const all = [...made.map(({ value }) => value), ...functions];
  things.forEach(([, links], index) => links.forEach((link) => made[index]?.add(all[link % all.length])));
  return { functions, things: made.map(({ value }) => value) };
}

/** All that shows of a graph: what it holds, what each call gives and changes, and what it holds then. */
function behaviour({ functions, things }: Root, { calls }: Plan): string {
  const description = new GraphDescription();
  const lines = [description.of([functions, things])];
  for (const [index, argument] of functions.length === 0 ? [] : calls) {
    const result = resultOf(functions[index % functions.length] as Callable, argument);
    lines.push(`call ${index}: ${description.of(result)}`);
  }
  for (const thing of things) lines.push(`see: ${description.of(seen(thing))}`);
  lines.push(description.of([functions.map((fn) => resultOf(fn)), things]));
  return lines.join("\n");
}

function isIterator(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && "next" in value;
}

/** Captures each part, then some functions together, in one state after another. */
function captureParts({ functions, things }: Root, { groups, calls }: Plan): void {
  for (const part of [...functions, ...things]) capture(part);
  if (functions.length === 0) return;
  for (const [step, group] of groups.entries()) {
    capture(group.map((index) => functions[index % functions.length]));
    const [index, argument] = calls[step] ?? [step, 0];
    resultOf(functions[index % functions.length] as Callable, argument);
  }
}

function resultOf(fn: Callable, argument: unknown = 1): unknown {
  const result = fn.call(undefined, argument);
  return isIterator(result) ? [...result] : result;
}

function seen(thing: object): unknown {
  if (thing instanceof Account || "held" in thing) return [(thing as Account).held, (thing as Account).see()];
  if (typeof thing !== "function") return "v" in thing ? thing.v : undefined;
  return "see" in thing ? [thing(thing), (thing.see as () => unknown)()] : (thing as () => unknown)();
}

/** Few, for each turns the debugger on; more with GRAPH_RUNS=500. A failure prints its seed and its program. */
const numRuns = Number(process.env["GRAPH_RUNS"] ?? 12);
const report = { numRuns, verbose: 1 } as const;
const timeoutMs = 60_000 + numRuns * 2_000;

test(
  "random programs and graphs behave the same after they travelled, once and again",
  () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const root = build(plan);
        const there = revive(capture(root)) as Root;
        const back = revive(capture(there)) as Root;
        const expected = behaviour(root, plan);
        expect(behaviour(there, plan), plan.program).toBe(expected);
        expect(behaviour(back, plan), plan.program).toBe(expected);
      }),
      report,
    );
  },
  timeoutMs,
);

test(
  "what was captured before does not matter to a capture after the state changed",
  () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const root = build(plan);
        captureParts(root, plan);
        behaviour(root, plan);
        const there = revive(capture(root)) as Root;
        expect(behaviour(there, plan), plan.program).toBe(behaviour(root, plan));
      }),
      report,
    );
  },
  timeoutMs,
);
