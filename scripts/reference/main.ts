// Writes docs/reference anew: `npm run reference`.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { renderReference } from "./render.ts";

const FOLDER = fileURLToPath(new URL("../../docs/reference/", import.meta.url));

const pages = renderReference();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
for (const [name, text] of pages) writeFileSync(`${FOLDER}${name}`, text);
console.log(`Wrote ${pages.size} pages to docs/reference.`);
