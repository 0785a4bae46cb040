/**
 * Shows what a function brings along: classes with what they extend, variables that several functions share, local
 * modules with their state, packages by reference; and that what comes back is of one's own classes.
 *
 *     node --import kitchensink/register examples/05-closures/main.ts
 */
import ms from "ms";
import { Client } from "kitchensink";
import { Circle, measure, measuredSoFar, Shape, Square } from "./shapes.ts";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");

// A class hierarchy: instances go there, and what comes back is an instance of the class here.
const shapes: Shape[] = [new Circle(1), new Square(2)];
const largest = await c.call((all: Shape[]) => {
  const [first = new Square(0), ...others] = all;
  return others.reduce((best, shape) => (shape.area > best.area ? shape : best), first);
}, shapes);
console.log(
  `${largest.describe()}, a Shape: ${largest instanceof Shape}, a Square: ${largest instanceof Square}`,
);

// A variable that two functions share is one variable there too. What changes there does not change here.
let count = 0;
const counter = {
  increment: (): void => void (count += 1),
  read: (): number => count,
};
const there = await c.call(({ increment, read }: typeof counter) => {
  for (let times = 0; times < 3; times++) increment();
  return read();
}, counter);
console.log(`counted to ${there} there; here it is still ${count}`);

// A local module brings its state as it is now.
measure(new Square(1));
const measured = await c.call(() => {
  measure(new Circle(2));
  return measuredSoFar();
});
console.log(`measured ${measured} shapes there, ${measuredSoFar()} here`);

// A package is not copied: the worker uses its own, which has to have the same version but for the patch.
console.log(await c.call((text: string) => `${text} are ${ms(ms("2 days"), { long: true })}`, "48 hours"));

// An error of one's own class is one when it is thrown here.
class TooSmall extends RangeError {
  override readonly name = "TooSmall";
}
const refuse = (shape: Shape): void => {
  if (shape.area < 1) throw new TooSmall(`${shape.describe()} is too small`);
};
await c.call(refuse, new Circle(0.1)).catch((error: unknown) => {
  console.log(error instanceof TooSmall ? `${error.name}: ${error.message}` : error);
});

// A generator's items come while it runs.
const areas = await c.call(async function* (sides: number) {
  for (let side = 1; side <= sides; side++) yield new Square(side).area;
}, 1_000_000);
let sum = 0;
for await (const area of areas) {
  sum += area;
  if (area >= 100) break;
}
console.log(`the first squares have ${sum} together`);

await c.close();
