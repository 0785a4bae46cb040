/**
 * Whether two objects are of one realm: the objects of a vm context have one end of their prototypes in common, which
 * is that of no other context.
 */
export function isOfSameRealm(one: object, other: object): boolean {
  return endOfPrototypes(one) === endOfPrototypes(other);
}

/** The object that all others of its realm inherit from, when `value` does. */
export function endOfPrototypes(value: object): object {
  let end = value;
  for (let next: object | null = end; next !== null; next = Object.getPrototypeOf(next) as object | null)
    end = next;
  return end;
}
