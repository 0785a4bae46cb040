import { expect, test } from "vitest";
import { namespace } from "../../src/worker/functions.ts";

test.each(["shop", "_shop", "$", "my.shop-2"])("a namespace may be called %j", (name) => {
  expect(namespace(name, {}).name).toBe(name);
});

test.each(["", "2shop", "my shop", "shöp", "a".repeat(101)])(
  "a namespace called %j is refused, with the names that may be given",
  (name) => {
    expect(() => namespace(name, {})).toThrow(
      `Cannot make a namespace called ${JSON.stringify(name)}: use at most 100 letters, digits and _ $ . -, of which the first is a letter, _ or $`,
    );
  },
);
