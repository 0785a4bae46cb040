/** What options a client takes, and what it says of others. Nothing is asked of a node here. */
import { Client, type ClientOptions } from "kitchensink";
import { afterAll, expect, test } from "vitest";

const c = new Client("http://localhost:1/");
afterAll(() => c.close());

test.each<[ClientOptions, string]>([
  [{ queue: "gpu" }, 'queue: "gpu"'],
  [{ node: "node3" }, 'node: "node3"'],
  [{ priority: -1 }, "priority: -1"],
  [{ retries: 2 }, "retries: 2"],
  [{ retryDelayMs: 10 }, "retryDelayMs: 10"],
  [{ memoize: true }, "memoize: true"],
])("instant calls have nothing of the queue: %o is refused, whichever came first", (options, inForce) => {
  const refusal = expect.objectContaining({
    code: "KS_USAGE",
    message: expect.stringContaining(`Cannot make an instant call with ${inForce}`),
  });
  expect(() => c.with({ async: false }).with(options)).toThrow(refusal);
  expect(() => c.with(options).with({ async: false })).toThrow(refusal);
});

test("instant calls have deadlines, and run once anyhow", () => {
  expect(() => c.with({ async: false, timeoutMs: 1_000, ttlMs: 1_000, idempotent: false })).not.toThrow();
});

test.each<[ClientOptions, string]>([
  [{ node: "my node" }, 'Not a node name: "my node"'],
  [{ node: "" }, 'Not a node name: ""'],
  [{ queue: "a queue" }, 'Not a queue: "a queue"'],
])("what cannot be the name of a place is refused before any call: %o", (options, message) => {
  const refusal = expect.objectContaining({ code: "KS_USAGE", message: expect.stringContaining(message) });
  expect(() => c.with(options)).toThrow(refusal);
});

test("what is no option is refused, with those that there are", () => {
  const refusal = expect.objectContaining({
    code: "KS_USAGE",
    message: expect.stringMatching(/^Not an option of a client: timeout \(there are rpcName, .*timeoutMs, /),
  });
  const options = JSON.parse('{ "timeout": 5000 }') as ClientOptions;
  expect(() => c.with(options)).toThrow(refusal);
  expect(() => new Client(c.url, options)).toThrow(refusal);
  const inherited = JSON.parse('{ "toString": 1 }') as ClientOptions;
  expect(() => c.with(inherited)).toThrow("Not an option of a client: toString");
});

test("what a client connects with is for new Client alone", () => {
  expect(() => new Client(c.url, { token: "secret", interrupt: "leave", queue: "gpu" })).not.toThrow();
  const token = JSON.parse('{ "token": "secret" }') as ClientOptions;
  expect(() => c.with(token)).toThrow(/^Not an option of a client: token .* of new Client alone\)$/);
});
