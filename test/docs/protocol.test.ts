import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../src/core/version.ts";
import { readPage, ROOT } from "./support/markdown.ts";

const protocol = readPage("docs/protocol.md");
const headings = [...protocol.matchAll(/^### (.+)$/gm)].map(([, heading = ""]) => heading);

/** The `type` of each member of a union in `src/core/messages.ts`. */
function typesOf(union: string): string[] {
  const source = readFileSync(join(ROOT, "src/core/messages.ts"), "utf8");
  const text = new RegExp(`export type ${union} =.*?;\\n(?=\\n)`, "s").exec(source)?.[0] ?? "";
  return [...text.matchAll(/readonly type: "([\w-]+)"/g)].map(([, type = ""]) => type);
}

test.each([
  ["ToWorker", "To the worker"],
  ["FromWorker", "From the worker"],
  ["ClientEvent", "Event"],
])("every message of %s has its heading", (union, prefix) => {
  const types = union === "ClientEvent" ? ["output", ...typesOf(union)] : typesOf(union);
  expect(types.length).toBeGreaterThan(3);
  const told = headings.filter((heading) => heading.startsWith(`${prefix}: `));
  expect(told.toSorted()).toEqual(types.map((type) => `${prefix}: ${type}`).toSorted());
});

test("every HTTP route has its heading", () => {
  const folder = join(ROOT, "src/node/http");
  const files = readdirSync(folder).flatMap((name) =>
    name.endsWith("-routes.ts") ? [join(folder, name)] : [],
  );
  const routes = files.flatMap((file) =>
    [
      ...readFileSync(file, "utf8").matchAll(
        /(?:server|scope)\.(get|post|put|delete|head)(?:<[^(]*>)?\(\s*"(\/[^"]*)"/gs,
      ),
    ].map(([, method = "", path = ""]) => `${method.toUpperCase()} ${path.replace(/:name$/, ":function")}`),
  );
  const told = headings
    .filter((heading) => /^[A-Z]+ \//.test(heading))
    .map((heading) => heading.replace(/\?.*$/, ""));
  expect(told.toSorted()).toEqual(routes.toSorted());
});

test("the version is told", () => {
  expect(protocol).toContain(`Version: ${PROTOCOL_VERSION}.`);
});
