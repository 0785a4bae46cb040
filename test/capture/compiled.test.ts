// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/compiled.mjs";
import { testCases } from "./support/peers.ts";

testCases("compiled", new URL("./fixtures/compiled.mjs", import.meta.url), cases);
