// The one gate: `npm run check` runs everything that must hold before a change lands. `--static`: all but the tests.
import { spawnSync } from "node:child_process";

const STEPS = [
  ["format", run("check:format")],
  ["lint, with types and floors", run("check:lint")],
  ["types", run("check:types")],
  ["build", run("build")],
  ["unused code and dependencies", run("check:unused")],
  ["package shape", run("check:shape")],
  ["vulnerable dependencies", audit],
];
const TESTS = ["tests and examples", run("test")];

const isStatic = process.argv.includes("--static");
const failed = [];
for (const [name, holds] of isStatic ? STEPS : [...STEPS, TESTS]) {
  console.log(`\n— ${name}`);
  if (!holds()) failed.push(name);
}
console.log(failed.length === 0 ? "\nAll checks hold." : `\nFailed: ${failed.join("; ")}`);
process.exit(failed.length === 0 ? 0 : 1);

function run(script) {
  return () => spawnSync("npm", ["run", "--silent", script], { stdio: "inherit" }).status === 0;
}

/** What is known of the dependencies that users get. A registry that cannot be asked is said, and is no failure. */
function audit() {
  const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { metadata, vulnerabilities } = JSON.parse(stdout.toString() || "{}");
  if (metadata === undefined) {
    console.log("NOT CHECKED: this registry does not answer `npm audit`");
    return true;
  }
  const { total } = metadata.vulnerabilities;
  if (total > 0) console.log(JSON.stringify(vulnerabilities, undefined, 2));
  return total === 0;
}
