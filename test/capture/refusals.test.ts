import { expect, test } from "vitest";
import { capture } from "../../src/capture/capture.ts";
// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/refusals.mjs";
import { testCases } from "./support/peers.ts";

test("a refusal shows the line that asked for what cannot travel, and nothing of the way there", () => {
  const promise = Promise.resolve(1);
  const asking = (): Uint8Array => capture(() => promise);
  let stack: string | undefined;
  try {
    asking();
  } catch (error) {
    ({ stack } = error as Error);
  }
  const [message, ...frames] = stack?.split("\n") ?? [];
  expect(message).toBe(
    'KitchenError: Cannot capture captured "promise": a Promise cannot travel (await it first and use its value)',
  );
  expect(frames[0]).toMatch(/at asking .*refusals\.test\.ts:\d+:\d+/);
});

testCases("refusals", new URL("./fixtures/refusals.mjs", import.meta.url), cases);
