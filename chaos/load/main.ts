// A process that calls functions until it is told to stop, or is killed; and none while it is told to wait.
import { createInterface } from "node:readline";
import type { LoadSettings } from "../stage/client.ts";
import { Load } from "./load.ts";

const load = new Load(JSON.parse(process.argv[2] ?? "{}") as LoadSettings);
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  if (line === "stop") load.stop();
  else load.isPaused = line === "pause";
});
// Whoever started it is gone.
process.stdin.once("end", () => process.exit(1));
await load.run();
process.exit(0);
