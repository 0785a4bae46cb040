// Puts tables into a page, between `<!-- bench NAME -->` and `<!-- end -->`, so that one command renews all figures.

/** The page with another text in its place called `name`. @throws when the page has no such place */
export function replacePlace(page: string, name: string, text: string): string {
  const begin = `<!-- bench ${name} -->\n`;
  const from = page.indexOf(begin);
  const to = page.indexOf("<!-- end -->", from + begin.length);
  if (from === -1 || to === -1)
    throw new Error(`The page has no place for the table ${name}: add ${begin.trim()} and <!-- end -->`);
  return `${page.slice(0, from + begin.length)}\n${text}\n\n${page.slice(to)}`;
}
