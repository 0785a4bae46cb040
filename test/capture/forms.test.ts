// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/forms.mjs";
import { testCases } from "./support/peers.ts";

testCases("forms", new URL("./fixtures/forms.mjs", import.meta.url), cases);
