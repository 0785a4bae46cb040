import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/core/errors.ts";
import { statusOf } from "../../src/node/http/problems.ts";
import { rowsOf } from "./support/markdown.ts";

const rows = rowsOf("docs/errors.md")
  .filter(([code]) => code?.startsWith("`KS_") === true)
  .map(([code = "", meaning = "", status = ""]) => ({ code: code.replaceAll("`", ""), meaning, status }));

describe("the table of docs/errors.md", () => {
  test("has every error code once, and no other", () => {
    expect(rows.map(({ code }) => code).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  test("says of each what the code's own table says", () => {
    expect(Object.fromEntries(rows.map(({ code, meaning }) => [code, meaning]))).toEqual(ERROR_CODES);
  });

  test("has the HTTP status that a node answers with", () => {
    const told = rows.map(({ code, status }) => [code, Number(status)]);
    expect(told).toEqual(rows.map(({ code }) => [code, statusOf(code)]));
  });
});
