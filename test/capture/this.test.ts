// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/this.mjs";
import { testCases } from "./support/peers.ts";

testCases("this", new URL("./fixtures/this.mjs", import.meta.url), cases);
