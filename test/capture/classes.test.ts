// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/classes.mjs";
import { testCases } from "./support/peers.ts";

testCases("classes", new URL("./fixtures/classes.mjs", import.meta.url), cases);
