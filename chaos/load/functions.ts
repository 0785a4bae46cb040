// What the nodes are started with.
import { namespace } from "kitchensink/functions";
import { begin, type Marked } from "./mark.ts";

/** Adds numbers. */
const sum = (log: string, numbers: readonly number[]): Marked => ({
  mark: begin(log),
  value: numbers.reduce((total, number) => total + number, 0),
});

/** Says what it was given, a little later. */
async function echo(log: string, value: unknown, afterMs: number): Promise<Marked> {
  const mark = begin(log);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  return { mark, value };
}

export default namespace("chaos", { sum, echo });
