import { defineConfig } from "vitest/config";

const src = (path: string): string => new URL(`./src/${path}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^kitchensink$/, replacement: src("index.ts") },
      { find: /^kitchensink\/(functions|capture|testing)$/, replacement: src("$1.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/build.ts"],
    setupFiles: ["test/support/children.ts"],
    // Functions that are captured as Node sees them, not as the test runner rewrites them.
    server: { deps: { external: [/\/fixtures\/.*\.mjs$/] } },
    reporters: ["default", "./test/support/closing-line.ts"],
    pool: "forks",
    // Tests wait for processes, leases and outages more than they compute.
    maxWorkers: 4,
    // What is waited for comes when it comes: machines may be busy.
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
  },
});
