// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/captures.mjs";
import { testCases } from "./support/peers.ts";

testCases("captures", new URL("./fixtures/captures.mjs", import.meta.url), cases);
