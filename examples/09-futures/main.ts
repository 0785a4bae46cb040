/**
 * Shows calls that work on the results of other calls, which stay on the cluster; calls that are made once; and how far
 * everything is.
 *
 *     node --import kitchensink/register examples/09-futures/main.ts
 */
import { asCompleted, Client, currentJob } from "kitchensink";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");

/** All primes below a bound; says how far it is. */
function primesBelow(bound: number): number[] {
  const isComposite = new Uint8Array(bound);
  const primes: number[] = [];
  for (let n = 2; n < bound; n += 1) {
    if (n % 10_000 === 0) currentJob().progress(n, bound, `primes below ${bound}`);
    if (isComposite[n] === 1) continue;
    primes.push(n);
    for (let multiple = n * n; multiple < bound; multiple += n) isComposite[multiple] = 1;
  }
  return primes;
}

const twins = (primes: readonly number[]): number =>
  primes.filter((n, at) => primes[at + 1] === n + 2).length;
const share = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(1)} %`;

// Nothing is awaited here: each call waits on the cluster for those among its arguments.
const primes = c.call(primesBelow, 300_000);
const count = c.call((all: readonly number[]) => all.length, primes);
const pairs = c.call(twins, primes);
const shown = c.call(share, pairs, count);

for await (const { job } of asCompleted([count, pairs])) console.log(job === count ? "counted" : "paired");
console.log(await c.gather({ count, pairs, share: shown }));

// Asked for once more, it is there: it was made by the same function, from the same arguments.
const memo = c.with({ memoize: true });
const [first, again] = [await memo.call(primesBelow, 1_000), memo.call(primesBelow, 1_000)];
console.log(first.length, (await again).length, (await again.status()).attempt);

// A bar for a whole map; a line, where there is no terminal.
const squares = await c.with({ progress: "squares" }).map(
  (n: number) => n * n,
  Array.from({ length: 1_000 }, (_, n) => n),
);
console.log(squares.at(-1));

await c.close();
