// Piscina, threads within one process: what calls cost without any queue.
import { fileURLToPath } from "node:url";
import type { Contestant } from "../contestant.ts";
import { startDriver } from "../driver.ts";
import { packageVersion, tsProgram } from "../../support/programs.ts";

export const piscina: Contestant = {
  name: "piscina",
  title: "Piscina, 2 threads, no queue",
  versions: () => ({ Piscina: packageVersion("piscina") }),
  missing: () => undefined,
  start: async () => {
    const driver = await startDriver(tsProgram(fileURLToPath(new URL("client.ts", import.meta.url))), {});
    return { driver, parts: () => ({ client: [driver.pid] }), stop: driver.stop };
  },
};
