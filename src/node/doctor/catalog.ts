import type { NodeName } from "../../core/ids.ts";
import { parseResultUrl } from "../../core/result-url.ts";
import type { DataRecord } from "../../store/catalog.ts";
import type { Store } from "../../store/port.ts";
import type { CatalogReport } from "./report.ts";

const STEP = 1_000;
/** More data than this is not looked at. */
const MOST_URLS = 200_000;
const MOST_EXAMPLES = 5;

type Shelves = Pick<Store, "findData" | "listData" | "read">;

/** Looks for data that no living node has. */
export async function surveyCatalog(store: Shelves, living: ReadonlySet<NodeName>): Promise<CatalogReport> {
  const away = new Set<NodeName>();
  const examples: string[] = [];
  let [urls, count, bytes] = [0, 0, 0];
  let isPartial = true;
  for (let after = ""; isPartial && urls < MOST_URLS;) {
    const page = await store.listData({ prefix: "", after, limit: STEP });
    const orphans = await orphansIn(store, await store.findData(page), living);
    for (const { size, replicas, url } of orphans) {
      for (const node of replicas) away.add(node);
      count += 1;
      bytes += size;
      if (examples.length < MOST_EXAMPLES) examples.push(url);
    }
    urls += page.length;
    after = page.at(-1) ?? "";
    isPartial = page.length === STEP;
  }
  return { urls, orphans: { count, bytes, examples }, away: [...away], isPartial };
}

async function orphansIn(
  store: Pick<Store, "read">,
  records: readonly (DataRecord | undefined)[],
  living: ReadonlySet<NodeName>,
): Promise<DataRecord[]> {
  const orphans = records.flatMap((record) =>
    record === undefined || record.replicas.some((node) => living.has(node)) ? [] : [record],
  );
  const jobs = orphans.flatMap(({ url }) => parseResultUrl(url)?.id ?? []);
  const known = new Set((await store.read(jobs)).flatMap((job) => job?.id ?? []));
  // A result of a job that is known goes with the job.
  return orphans.filter(({ url }) => {
    const of = parseResultUrl(url);
    return of === undefined || !known.has(of.id);
  });
}
