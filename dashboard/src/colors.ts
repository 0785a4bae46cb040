/** Told apart by most kinds of eyes, on dark and on light (after Okabe and Ito). */
const COLORS = ["#0f8fd1", "#e08a00", "#12a37a", "#c76aa8", "#7a6ff0", "#a8931a", "#3fb6c9", "#b5654a"];
const MOST_LABELS = 500;
const given = new Map<string, string>();

/** The same label has the same color for as long as the page is open. */
export function colorOf(label: string): string {
  const known = given.get(label);
  if (known !== undefined) return known;
  if (given.size >= MOST_LABELS) given.clear();
  const color = COLORS[given.size % COLORS.length] ?? "#888888";
  given.set(label, color);
  return color;
}
