// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/modules.mjs";
import { testCases } from "./support/peers.ts";

testCases("modules", new URL("./fixtures/modules.mjs", import.meta.url), cases);
