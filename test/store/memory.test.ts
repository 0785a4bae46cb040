import { openMemoryStore } from "../../src/store/memory/store.ts";
import { conformance } from "./conformance.ts";
import { DEFAULTS } from "./support/harness.ts";

conformance("the embedded store", async (options) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS, ...options, now: () => nowMs });
  return {
    store,
    pass: async (ms) => {
      nowMs += ms;
    },
  };
});
