// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/homecoming.mjs";
import { testReturns } from "./support/peers.ts";

testReturns(
  "classes with private names come home",
  new URL("./fixtures/homecoming.mjs", import.meta.url),
  cases,
);
