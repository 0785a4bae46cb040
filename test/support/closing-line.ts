import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with the names of what failed, and one plain line that any tool can read. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const failed = modules.filter((module) => module.state() === "failed").flatMap(failuresOf);
    if (failed.length > 0) console.log(["\nfailed:", ...failed].join("\n  "));
    console.log(`\n${count("passed")} passed, ${failed.length} failed, ${count("skipped")} skipped`);
  }
}

/** A module without a failed test has failed as a whole: to load, or in a hook. */
function failuresOf(module: TestModule): string[] {
  const tests = [...module.children.allTests("failed")].map((test) => test.fullName);
  return (tests.length === 0 ? [""] : tests).map((test) => `${module.relativeModuleId}  ${test}`);
}
