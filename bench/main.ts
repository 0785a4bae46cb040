// `npm run bench -- NAME [--save]` measures one part of the project.
import { existsSync, readdirSync } from "node:fs";

const here = new URL("./", import.meta.url);
const [name = ""] = process.argv.slice(2);
const file = new URL(`${name}.ts`, here);

if (name !== "" && name !== "main" && /^[\w-]+$/.test(name) && existsSync(file)) await import(file.href);
else {
  const names = readdirSync(here).filter((entry) => entry.endsWith(".ts") && entry !== "main.ts");
  console.log(
    `npm run bench -- NAME, where NAME is one of: ${names.map((entry) => entry.slice(0, -3)).join(", ")}`,
  );
}
