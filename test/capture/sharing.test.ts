// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/sharing.mjs";
import { testCases } from "./support/peers.ts";

testCases("sharing", new URL("./fixtures/sharing.mjs", import.meta.url), cases);
