import { execFileSync } from "node:child_process";

/** Workers are real processes that run the built package, so tests build it first (incremental: under a second). */
export function setup(): void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
}
