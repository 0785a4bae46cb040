import { expect, onTestFinished, test } from "vitest";
import { startDriver, type Driver } from "../../bench/contestants/driver.ts";

/** A driver that answers each request with `answer`, an expression that may use the `request` and the `settings`. */
async function driver(answer: string, settings: object = {}): Promise<Driver> {
  const program = `
    const settings = JSON.parse(process.argv.at(-1));
    console.log('"ready"');
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const request = JSON.parse(line);
      console.log(JSON.stringify(${answer}));
    });
  `;
  const started = await startDriver([process.execPath, "-e", program], settings);
  onTestFinished(() => started.stop());
  return started;
}

test("a driver is asked for calls, and tells how long they took", async () => {
  const started = await driver("request.how === 'many' ? request.count + settings.more : [request.work]", {
    more: 5,
  });
  expect(await started.many(10)).toBe(15);
  expect(await started.oneByOne(1, "print")).toEqual(["print"]);
});

test("a driver that ends is an error for who waits for it, and not a wait without an end", async () => {
  const started = await driver("process.exit(1)");
  await expect(started.many(1)).rejects.toThrow("ended before it had answered");
});

test("a driver that does not come up is an error", async () => {
  await expect(startDriver([process.execPath, "-e", "process.exit(1)"], {})).rejects.toThrow(
    "ended before it had answered",
  );
});
