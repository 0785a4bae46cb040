import type { NodeOptions } from "../../../src/node/options.ts";
import type { Store } from "../../../src/store/port.ts";
import { N1 } from "../../store/support/harness.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** Of a node alone, which gets its store as it is, and whose heartbeats, which claim too, are far apart. */
export function nodeOptions(store: Store): NodeOptions {
  return {
    name: N1,
    cluster: "test",
    url: new URL("http://127.0.0.1:0/"),
    host: "127.0.0.1",
    allowedHosts: [],
    token: null,
    store,
    dataDirectory: temporaryDirectory(),
    adopts: [],
    dataThresholdBytes: 200_000_000,
    numWorkers: 1,
    numInstantWorkers: 1,
    queues: ["default"],
    modules: [],
    reloads: false,
    isReadOnly: false,
    isArbitraryBanned: false,
    environmentNames: [],
    leaseMs: 600_000,
    graceMs: 0,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  };
}
