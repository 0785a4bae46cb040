import { expect, test } from "vitest";
import { describeMachine, machineLine } from "../../bench/support/machine.ts";

test("the line names the machine, what ran on it, and the day", () => {
  const machine = {
    cpu: "Some CPU",
    cores: 2,
    memoryGB: 8,
    kernel: "Linux 6.1",
    node: "v20.19.0",
    redis: "7.0.15",
    versions: { BullMQ: "5.0.0" },
    date: "2025-01-31",
  };
  expect(machineLine(machine)).toBe(
    "Some CPU, 2 cores, 8 GB, Linux 6.1; Node 20.19.0, Redis 7.0.15, BullMQ 5.0.0; 2025-01-31",
  );
});

test("this machine is described as it is", () => {
  const { cores, node, date } = describeMachine();
  expect(cores).toBeGreaterThan(0);
  expect(node).toBe(process.version);
  expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
});
