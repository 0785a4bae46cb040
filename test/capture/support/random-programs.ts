import * as fc from "fast-check";

/** A function of a program: what it reads, which variables it assigns what to, and how it is written. */
interface FunctionPlan {
  readonly form: (typeof FORMS)[number];
  readonly reads: readonly string[];
  readonly writes: readonly { readonly name: string; readonly how: (typeof HOWS)[number] }[];
}

/** A scope of a program, with the scopes in it. */
interface ScopePlan {
  readonly kind: (typeof KINDS)[number];
  readonly variables: readonly { readonly name: string; readonly value: (typeof VALUES)[number] }[];
  readonly functions: readonly FunctionPlan[];
  readonly inner: readonly ScopePlan[];
}

const FORMS = ["arrow", "function", "method", "getter", "generator", "setter"] as const;
/** Few, so that names hide each other. */
const NAMES = ["a", "b", "c"] as const;
const HOWS = ["set", "add", "count", "swap", "keep"] as const;
const KINDS = ["block", "loop", "of", "twice", "catch", "class", "switch"] as const;
/** Equal values in different scopes are what makes them hard to tell apart. */
const VALUES = ["0", "0", "-0", "1", "undefined", "[]", "made[0]", "made.at(-1)", "new Map()"] as const;

const functionPlan = fc.record<FunctionPlan>({
  form: fc.constantFrom(...FORMS),
  reads: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }),
  writes: fc.array(fc.record({ name: fc.constantFrom(...NAMES), how: fc.constantFrom(...HOWS) }), {
    maxLength: 2,
  }),
});

const variables = fc.uniqueArray(
  fc.record({ name: fc.constantFrom(...NAMES), value: fc.constantFrom(...VALUES) }),
  { maxLength: 3, selector: ({ name }) => name },
);

const { scope } = fc.letrec<{ scope: ScopePlan }>((tie) => ({
  scope: fc.record<ScopePlan>({
    kind: fc.constantFrom(...KINDS),
    variables,
    functions: fc.array(functionPlan, { maxLength: 3 }),
    inner: fc.oneof(
      { maxDepth: 3, depthIdentifier: "scopes" },
      fc.constant([]),
      fc.array(tie("scope"), { maxLength: 2, depthIdentifier: "scopes" }),
    ),
  }),
}));

/** The body of a function of `made`, an array into which it puts the functions that it makes. */
export const programs: fc.Arbitrary<string> = scope.map((plan) => `"use strict";\n${scopeText(plan, [])}`);

function scopeText(plan: ScopePlan, around: readonly string[]): string {
  const own = plan.variables.map(({ name }) => name);
  const visible = [...new Set([...around, ...own, ...(HEADS[plan.kind].names ?? [])])];
  const declared = plan.variables.map(({ name, value }) => `let ${name} = ${value};`);
  const functions = plan.functions.map((one) => functionText(one, visible));
  const lines = [...declared, ...functions, ...plan.inner.map((one) => scopeText(one, visible))];
  return `${HEADS[plan.kind].text} {\n{\n${lines.join("\n")}\n}\n}${HEADS[plan.kind].tail ?? ""}`;
}

/** What stands before and after the braces of a scope, and the variables that it brings. */
const HEADS: Readonly<Record<ScopePlan["kind"], { text: string; tail?: string; names?: readonly string[] }>> =
  {
    block: { text: "" },
    loop: { text: "for (let a = 0; a < 2; a++)", names: ["a"] },
    of: { text: "for (let [b, c] of [[0, 1], [0, 1]])", names: ["b", "c"] },
    twice: { text: "for (const run of [0, 0]) ((c) =>", tail: ")(run);", names: ["c"] },
    catch: { text: "try { throw { b: 0 }; } catch ({ b })", names: ["b"] },
    class: { text: "new (class { constructor(a)", tail: "})(0);", names: ["a"] },
    switch: { text: "switch (0) { case 0:", tail: "}" },
  };

function functionText({ form, reads, writes }: FunctionPlan, visible: readonly string[]): string {
  const seen = reads.filter((name) => visible.includes(name));
  const done = writes
    .filter(({ name }) => visible.includes(name))
    .map(({ name, how }) => writeText(name, how, seen[0] ?? "x"));
  const body = `{ ${done.join(" ")} return [${seen.join(", ")}]; }`;
  switch (form) {
    case "arrow":
      return `made.push((x) => ${body});`;
    case "function":
      return `made.push(function (x) ${body});`;
    case "method":
      return `made.push({ m(x) ${body} }.m);`;
    case "generator":
      return `made.push(function* (x) ${body});`;
    case "getter":
      return `made.push(Object.getOwnPropertyDescriptor({ get g() { let x = 3; ${body} } }, "g").get);`;
    case "setter":
      return `made.push(Object.getOwnPropertyDescriptor({ set s(x) ${body} }, "s").set);`;
  }
}

function writeText(name: string, how: (typeof HOWS)[number], other: string): string {
  switch (how) {
    case "set":
      return `${name} = x;`;
    case "add":
      return `${name} = String(${name}).length + x;`;
    case "count":
      return `${name}++;`;
    case "swap":
      return `[${name}] = [${other}];`;
    case "keep":
      return `${name} ??= made;`;
  }
}
