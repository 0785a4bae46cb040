// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/refusals.mjs";
import { testCases } from "./support/peers.ts";

testCases("refusals", new URL("./fixtures/refusals.mjs", import.meta.url), cases);
