import type { Offers } from "../port.ts";

/** Offers as `lua/shared/offers.lua` reads them: who, and after how many ms. */
export function offersText({ nodes, othersDelayMs }: Offers): string {
  const takers = nodes.map(({ node, delayMs }) => taker(node, delayMs));
  if (othersDelayMs !== null) takers.push(taker("*", othersDelayMs));
  return takers.length === 0 ? "-" : takers.join(" ");
}

/** 0 stands for none. */
export function offersOr0(offers: Offers | undefined): string | 0 {
  return offers === undefined ? 0 : offersText(offers);
}

function taker(name: string, delayMs: number): string {
  return `${name}=${Math.max(0, Math.ceil(delayMs))}`;
}
