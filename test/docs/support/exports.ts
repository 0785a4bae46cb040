import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./markdown.ts";

const ENTRY_POINTS: Readonly<Record<string, string>> = {
  kitchensink: "src/index.ts",
  "kitchensink/functions": "src/functions.ts",
  "kitchensink/capture": "src/capture.ts",
  "kitchensink/testing": "src/testing.ts",
};

export interface Export {
  readonly name: string;
  /** `kitchensink`, for one. */
  readonly from: string;
  readonly isType: boolean;
}

/** What the package exports, each name once. Entry points are made of lists of exports alone. */
export function packageExports(): Export[] {
  const seen = new Set<string>();
  return Object.entries(ENTRY_POINTS).flatMap(([from, file]) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const lists = text.matchAll(/^export (?<all>type )?\{(?<list>[^}]*)\}/gm);
    const exported = [...lists].flatMap(({ groups }) =>
      [...(groups?.["list"] ?? "").matchAll(/(type )?(\w+)(?=\s*(?:,|$))/g)].map(([, one, name = ""]) => ({
        name,
        from,
        isType: groups?.["all"] !== undefined || one !== undefined,
      })),
    );
    const fresh = exported.filter(({ name }) => !seen.has(name));
    for (const { name } of fresh) seen.add(name);
    return fresh;
  });
}
