import { describe, expect, test } from "vitest";
import { bodyOf, type Field, fieldsOf, parseField, problemsIn } from "../../dashboard/src/schema-fields.ts";
import type { FunctionInfo, InputForm, JsonSchema } from "../../src/core/messages.ts";

const info = (input: JsonSchema, inputForm: InputForm = "one-argument"): FunctionInfo => ({
  namespace: "test",
  name: "f",
  parameters: "",
  doc: "",
  input,
  inputForm,
  isGenerator: false,
});
const object = (properties: object, required: readonly string[] = []): JsonSchema => ({
  type: "object",
  properties,
  required,
});
const kinds = (input: JsonSchema): Record<string, string> =>
  Object.fromEntries((fieldsOf(info(input)) ?? []).map(({ name, kind }) => [name, kind]));

test("a field is of the kind that its schema tells, also through a reference; all else is JSON", () => {
  const properties = {
    text: { type: "string", format: "date" },
    whole: { type: "integer" },
    any: {},
    either: { anyOf: [{ type: "string" }, { type: "null" }] },
    fixed: { const: 3 },
    referred: { $ref: "#/$defs/Size" },
    lost: { $ref: "#/$defs/None" },
    elsewhere: { $ref: "http://example.com/" },
  };
  expect(kinds({ ...object(properties), $defs: { Size: { enum: ["s", "m"] } } })).toEqual({
    text: "text",
    whole: "integer",
    any: "json",
    either: "json",
    fixed: "choice",
    referred: "choice",
    lost: "json",
    elsewhere: "json",
  });
});

test("a list of arguments has no fields; one argument of whatever kind has one", () => {
  expect(fieldsOf(info({ type: "array" }, "list"))).toBeUndefined();
  expect(kinds({})).toEqual({ argument: "json" });
  expect(kinds({ type: "object" })).toEqual({ argument: "json" });
  const one = info({ type: "boolean" });
  expect(bodyOf(one, fieldsOf(one)!, { argument: "1" })).toEqual({ body: [false] });
});

describe("what is left empty", () => {
  const [needed, usual, free] = fieldsOf(
    info(object({ a: { type: "number" }, b: { type: "number", default: 2 }, c: {} }, ["a", "b"])),
  ) as [Field, Field, Field];

  test("is missing only where it is needed and has no default", () => {
    expect(parseField(needed, " ")).toEqual({ problem: "A value is needed" });
    expect(parseField(usual, "")).toEqual({});
    expect(parseField(free, "")).toEqual({});
  });

  test("is an empty text where a text is needed", () => {
    const [name] = fieldsOf(info(object({ name: { type: "string" } }, ["name"]))) as [Field];
    expect(parseField(name, "")).toEqual({ value: "" });
  });
});

test("numbers are numbers, and whole where they have to be", () => {
  const [whole, any] = fieldsOf(info(object({ whole: { type: "integer" }, any: { type: "number" } }))) as [
    Field,
    Field,
  ];
  expect(parseField(whole, " -3 ")).toEqual({ value: -3 });
  expect(parseField(whole, "1e3")).toEqual({ value: 1_000 });
  expect(parseField(whole, "1.5")).toEqual({ problem: "Expected a whole number" });
  expect(parseField(any, "1.5")).toEqual({ value: 1.5 });
  for (const text of ["Infinity", "one", "1,5"])
    expect(parseField(any, text)).toEqual({ problem: "Expected a number" });
});

test("what the node has against arguments goes to their fields, or to nobody", () => {
  const fields = fieldsOf(info(object({ a: {}, ab: {} })))!;
  expect(problemsIn("The arguments do not fit: a: too small; b; ab.0: no; a: odd", fields)).toEqual({
    a: "too small; b; odd",
    ab: "ab.0: no",
  });
  expect(problemsIn("The arguments do not fit: c: too small", fields)).toBeUndefined();
  expect(problemsIn("something else", fields)).toBeUndefined();
  const [one] = [fieldsOf(info({}))!];
  expect(problemsIn("The arguments do not fit: n: expected a number", one)).toEqual({
    argument: "n: expected a number",
  });
});
