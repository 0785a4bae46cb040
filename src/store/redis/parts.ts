/** Asks in several scripts, so that Redis serves others in between. All are sent at once, and answered in order. */
export async function inParts<Item, Reply>(
  items: readonly Item[],
  most: number,
  ask: (part: readonly Item[]) => Promise<readonly Reply[]>,
): Promise<Reply[]> {
  const parts = [];
  for (let at = 0; at < items.length; at += most) parts.push(ask(items.slice(at, at + most)));
  return (await Promise.all(parts)).flat();
}
