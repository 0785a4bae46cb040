/**
 * Shows that what a function prints appears here while it runs, in order, whichever way it prints; and that what it
 * throws is thrown where it is awaited: the same class, the same cause, and a stack that begins in the function and
 * goes on to the line that awaits.
 *
 *     node --import kitchensink/register examples/02-output-and-errors/main.ts
 */
import { spawnSync } from "node:child_process";
import { Client } from "kitchensink";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");

async function talk(): Promise<string> {
  console.log("one, from console.log");
  process.stdout.write("two, from process.stdout.write\n");
  console.error("to stderr, from console.error");
  spawnSync("sh", ["-c", "echo three, from a child process; echo to stderr, from the child >&2"], {
    stdio: "inherit",
  });
  for (let percent = 0; percent <= 100; percent += 50) {
    process.stdout.write(`\rfour, a progress bar: ${percent} %`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  process.stdout.write("\n");
  return "done";
}

function parseAge(text: string): number {
  const age = Number(text);
  if (Number.isInteger(age)) return age;
  throw new TypeError(`"${text}" is no age`, { cause: new RangeError("only whole numbers are") });
}

console.log(await c.call(talk));

try {
  await c.call(parseAge, "twelve");
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.log(`A TypeError arrived: ${error.message}`);
  console.log(`Its cause is a RangeError: ${error.cause instanceof RangeError}`);
  console.log(error.stack);
}

await c.close();
