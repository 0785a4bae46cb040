import { expect, test } from "vitest";
// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/sharing.mjs";
// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases as casesAgain } from "./fixtures/sharing-again.mjs";
import { SharedScope } from "../../src/capture/scopes/identity.ts";
import { testCases } from "./support/peers.ts";

testCases("sharing", new URL("./fixtures/sharing.mjs", import.meta.url), cases);
testCases(
  "sharing, after other captures",
  new URL("./fixtures/sharing-again.mjs", import.meta.url),
  casesAgain,
);

test("of a hundred thousand scopes found to be one, one after the other, one stands for all", () => {
  const scopes = Array.from({ length: 100_000 }, () => new SharedScope());
  for (const [index, scope] of scopes.entries()) SharedScope.unite(scope, scopes[index + 1] ?? scope);
  expect(new Set(scopes.map(({ one }) => one)).size).toBe(1);
});
