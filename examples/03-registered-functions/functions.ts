/**
 * Functions that a node registers, here in the namespace `test`. Start a node with them:
 *
 *     npx kitchensink start --module examples/03-registered-functions/functions.ts --reload
 */
import { namespace } from "kitchensink/functions";

/** Adds two numbers. */
function add(a: number, b: number): number {
  return a + b;
}

/** Greets somebody, once or several times. */
function greet(name: string, times = 1): string {
  if (times < 1) throw new RangeError(`Cannot greet ${times} times`);
  return `Hello, ${name}! `.repeat(times).trimEnd();
}

export default namespace("test", { add, greet });
