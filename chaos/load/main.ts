// A process that calls functions until it is told to stop, or is killed.
import { createInterface } from "node:readline";
import type { LoadSettings } from "../stage/client.ts";
import { Load } from "./load.ts";

const load = new Load(JSON.parse(process.argv[2] ?? "{}") as LoadSettings);
const lines = createInterface({ input: process.stdin });
lines.once("line", () => load.stop());
// Whoever started it is gone.
process.stdin.once("end", () => process.exit(1));
await load.run();
process.exit(0);
