// A process that captures and revives the cases of a fixture file, as node runs them without any transformation.
import assert from "node:assert";
import { capture } from "../../../dist/capture/capture.js";
import { revive } from "../../../dist/capture/revive.js";
import { mapStack } from "../../../dist/capture/stacks.js";

process.on("message", (request) => {
  void answer(request).then(
    (value) => process.send({ id: request.id, value }),
    (error) =>
      process.send({
        id: request.id,
        error: String(error?.stack ?? error),
        message: error?.message,
        code: error?.code,
      }),
  );
});

async function answer({ operation, file, name, bytes, stack }) {
  if (operation === "throw") return stackOf(revive(bytes));
  if (operation === "map") return mapStack(stack);
  if (operation === "pass") return capture(revive(bytes));
  const { cases } = await import(file);
  const { value, check, remote, back } = cases[name];
  if (operation === "capture") return capture(await value());
  if (operation === "remote") return capture(await remote(revive(bytes)));
  if (operation === "back") return void (await back(revive(bytes), assert));
  if (operation === "check") return void (await check(revive(bytes), assert));
  return void (await check(revive(capture(await value())), assert));
}

function stackOf(fails) {
  try {
    fails();
  } catch (error) {
    return error.stack;
  }
}
