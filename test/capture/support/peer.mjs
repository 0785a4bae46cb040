// A process that captures and revives the cases of a fixture file, as node runs them without any transformation.
import assert from "node:assert";
import { capture, revive } from "../../../dist/capture.js";
import { mapStack } from "../../../dist/capture/stacks/stacks.js";

process.on("message", (request) => {
  void answer(request).then(
    (value) => process.send({ id: request.id, value }),
    (error) =>
      process.send({
        id: request.id,
        error: String(error?.stack ?? error),
        message: error?.message,
        code: error?.code,
        cause: error?.cause?.message,
      }),
  );
});

async function answer({ operation, file, name, bytes, stack }) {
  if (operation === "throw") return stackOf(revive(bytes));
  if (operation === "json") return JSON.stringify(revive(bytes)());
  if (operation === "again") return capture(revive(bytes));
  if (operation === "map") return mapStack(stack);
  const { cases } = await import(file);
  const { value, check, remote, back, options } = cases[name];
  if (operation === "original") return stackOf(await value());
  if (operation === "capture") return capture(await value(), options);
  if (operation === "remote") return capture(await remote(revive(bytes)));
  if (operation === "back") return void (await back(revive(bytes), assert));
  if (operation === "check") return void (await check(revive(bytes), assert));
  return void (await check(revive(capture(await value(), options)), assert));
}

function stackOf(fails) {
  try {
    fails();
  } catch (error) {
    return error.stack;
  }
}
