// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/returning.mjs";
import { testReturns } from "./support/peers.ts";

testReturns("what comes back", new URL("./fixtures/returning.mjs", import.meta.url), cases);
