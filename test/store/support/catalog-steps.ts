import fc from "fast-check";
import { parseSha256 } from "../../../src/core/data.ts";
import { parseDataUrl, type DataUrl } from "../../../src/core/data-url.ts";
import type { NodeName } from "../../../src/core/ids.ts";
import type { Catalog, Drop, NewReplica } from "../../../src/store/catalog.ts";
import { N1, N2 } from "./harness.ts";

const URLS = ["a", "a/b", "é"].map(parseDataUrl);
const HASHES = ["a", "b"].map((digit) => parseSha256(digit.repeat(64)));

export type CatalogStep =
  | {
      readonly do: "addReplicas" | "addCopies" | "setReplicas";
      readonly node: NodeName;
      readonly rows: readonly NewReplica[];
    }
  | { readonly do: "removeReplicas"; readonly node: NodeName; readonly urls: readonly DataUrl[] }
  | { readonly do: "deleteData"; readonly node: NodeName | undefined; readonly urls: readonly DataUrl[] }
  | { readonly do: "dropped"; readonly node: NodeName; readonly drop: Drop };

/** Does a step, and gives what both stores have to agree on. */
export async function performCatalogStep(catalog: Catalog, step: CatalogStep): Promise<unknown> {
  switch (step.do) {
    case "addReplicas":
    case "addCopies":
    case "setReplicas":
      return catalog[step.do](step.node, step.rows);
    case "removeReplicas":
      return catalog.removeReplicas(step.node, step.urls);
    case "deleteData":
      return (await catalog.deleteData(step.urls, step.node)).map((names) => names.toSorted());
    case "dropped":
      return catalog.dropped(step.node, [step.drop]);
  }
}

/** All that a catalog knows. */
export async function contentsOf(catalog: Catalog): Promise<unknown> {
  const listed = await catalog.listData({ prefix: "", after: "", limit: 100 });
  const found = await catalog.findData(URLS);
  const lost = await catalog.lostData(URLS);
  const drops = await Promise.all([N1, N2].map((node) => catalog.drops(node)));
  return {
    listed,
    lost,
    found: found.map((data) => data && { ...data, replicas: data.replicas.toSorted() }),
    drops: drops.map((notes) => notes.toSorted((a, b) => a.url.localeCompare(b.url))),
  };
}

const node = fc.constantFrom(N1, N2);
const url = fc.constantFrom(...URLS);
const urls = fc.array(url, { maxLength: 3 });
const sha256 = fc.constantFrom(...HASHES);
const replica: fc.Arbitrary<NewReplica> = fc.record(
  {
    url,
    sha256,
    size: fc.constant(1),
    codec: fc.constantFrom(null, null, "json"),
    type: fc.constant("file"),
    // Before all deletions, or behind them.
    createdAtMs: fc.constantFrom(1, 1, 2 ** 45),
  },
  { requiredKeys: ["url", "sha256", "size", "codec", "type"] },
);

const always = <Word extends string>(word: Word): fc.Arbitrary<Word> => fc.constant(word);
export const catalogStep: fc.Arbitrary<CatalogStep> = fc.oneof(
  fc.record({
    do: fc.constantFrom("addReplicas", "addReplicas", "addCopies", "setReplicas"),
    node,
    rows: fc.array(replica, { maxLength: 3 }),
  }),
  fc.record({ do: always("removeReplicas"), node, urls }),
  fc.record({ do: always("deleteData"), node: fc.option(node, { nil: undefined }), urls }),
  fc.record({ do: always("dropped"), node, drop: fc.record({ url, sha256 }) }),
);
