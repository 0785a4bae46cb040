// The parser gives every node its offsets; the types of ESTree do not know them.

/** Where the text of a node begins, in UTF-16 units from the beginning of what was parsed. */
export function startOf(node: object): number {
  return (node as { start: number }).start;
}

/** Where the text of a node ends; the unit there is no longer its own. */
export function endOf(node: object): number {
  return (node as { end: number }).end;
}
