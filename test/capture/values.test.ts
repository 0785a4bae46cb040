// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/values.mjs";
import { testCases } from "./support/peers.ts";

testCases("values", new URL("./fixtures/values.mjs", import.meta.url), cases);
