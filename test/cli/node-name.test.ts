import { expect, test, vi } from "vitest";
import { nodeName, type StartFlags } from "../../src/cli/start-options.ts";

const machine = vi.hoisted(() => ({ name: "" }));
vi.mock("node:os", async (original) => ({ ...(await original<object>()), hostname: () => machine.name }));

test.each([
  ["my host", "my-host-6323"],
  ["-host", "host-6323"],
  ["ö", "node-6323"],
])("a node of the machine %j that nobody named has a name that a node may have", (hostname, name) => {
  machine.name = hostname;
  expect(nodeName({} as StartFlags, new URL("http://localhost:6323/"))).toBe(name);
});
