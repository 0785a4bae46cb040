import { describe, expect, test } from "vitest";
import { parseSha256 } from "../../../src/core/data.ts";
import { parseDataUrl, type DataUrl } from "../../../src/core/data-url.ts";
import type { NewReplica } from "../../../src/store/catalog.ts";
import type { Store } from "../../../src/store/port.ts";
import { N1, N2, N3, type OpenStore, withStore } from "../support/harness.ts";

const url = (text: string): DataUrl => parseDataUrl(text);
const A = parseSha256("a".repeat(64));
const B = parseSha256("b".repeat(64));

function replica(of: string, options: Partial<NewReplica> = {}): NewReplica {
  return { url: url(of), size: 10, sha256: A, codec: "json", type: "object", ...options };
}

async function all(store: Store): Promise<string[]> {
  return store.listData({ prefix: "", after: "", limit: 100 });
}

export function describeCatalog(open: OpenStore): void {
  describe("the catalog", () => {
    test(
      "data are found with their facts and all who have them",
      withStore(open, async ({ store }) => {
        const table = replica("my/table", { size: 2 ** 40, createdAtMs: 1_700_000_000_000 });
        const file = replica("raw", { codec: null, type: "file", size: 0, sha256: B });
        expect(await store.addReplicas(N1, [table, file])).toEqual(["added", "added"]);
        expect(await store.addReplicas(N2, [{ ...table, createdAtMs: 5 }])).toEqual(["added"]);
        const [found, none, raw] = await store.findData([table.url, url("none"), file.url]);
        expect({ ...found, replicas: found?.replicas.toSorted() }).toEqual({ ...table, replicas: [N1, N2] });
        expect(none).toBeUndefined();
        expect(raw).toEqual({ ...file, createdAtMs: expect.any(Number), replicas: [N1] });
        expect(await store.findData([])).toEqual([]);
        expect(await store.addReplicas(N1, [])).toEqual([]);
      }),
    );

    test(
      "who says again that it has data is known, and other data under the same url are refused",
      withStore(open, async ({ store }) => {
        const data = replica("data");
        await store.addReplicas(N1, [data]);
        const others = [
          replica("data", { sha256: B }),
          replica("data", { size: 11 }),
          replica("data", { codec: null }),
          replica("data", { codec: "" }),
          replica("data", { type: "file" }),
        ];
        for (const node of [N1, N2])
          expect(await store.addReplicas(node, others)).toEqual(Array(5).fill("exists"));
        expect(await store.addReplicas(N1, [data, data])).toEqual(["known", "known"]);
        expect(await store.findData([data.url])).toMatchObject([{ sha256: A, size: 10, replicas: [N1] }]);
      }),
    );

    test(
      "of several who name a url at once with different data exactly one wins",
      withStore(open, async ({ store }) => {
        const rivals = Array.from({ length: 20 }, (_, at) => replica("rival", { size: at }));
        const replies = await Promise.all(rivals.map((row) => store.addReplicas(N1, [row])));
        const winners = rivals.filter((_, at) => replies[at]?.[0] === "added");
        expect(winners).toHaveLength(1);
        expect(replies.flat().filter((reply) => reply === "exists")).toHaveLength(19);
        expect(await store.findData([url("rival")])).toMatchObject([{ size: winners[0]!.size }]);
      }),
    );

    test(
      "a copy is entered of what the catalog has or has lost, and not of what was deleted or never saved",
      withStore(open, async ({ store }) => {
        const [kept, deleted, lost] = ["kept", "deleted", "lost"].map((name) => replica(name));
        const rows = [kept!, deleted!, lost!];
        await store.addReplicas(N1, rows);
        await store.deleteData([url("deleted")]);
        await store.removeReplicas(N1, [url("lost")]);
        const none = replica("none");
        const other = replica("kept", { sha256: B });
        const replies = ["added", "gone", "added", "gone", "exists", "known"];
        expect(await store.addCopies(N2, [...rows, none, other, kept!])).toEqual(replies);
        expect(await all(store)).toEqual(["kept", "lost"]);
        expect(await store.lostData([url("lost")])).toEqual([false]);
        expect(await store.dataOf(N2)).toHaveLength(2);
      }),
    );

    test(
      "a node that says all that it has does not bring back what was deleted and it has not dropped yet",
      withStore(open, async ({ store }) => {
        const [kept, deleted, other] = [replica("kept"), replica("deleted"), replica("other")];
        await store.addReplicas(N1, [kept, deleted, other]);
        await store.deleteData([url("deleted"), url("other")]);
        await store.addReplicas(N2, [replica("other", { sha256: B })]);
        expect(await store.setReplicas(N1, [kept, deleted, other])).toEqual(["known", "gone", "exists"]);
        expect(await all(store)).toEqual(["kept", "other"]);
        expect((await store.drops(N1)).map((drop) => drop.url).toSorted()).toEqual(["deleted", "other"]);
        expect(await store.addReplicas(N1, [deleted])).toEqual(["added"]);
        expect((await store.drops(N1)).map((drop) => drop.url)).toEqual(["other"]);
      }),
    );

    test(
      "a node that says what it has does not bring back what was deleted while nobody knew that it has it",
      withStore(open, async ({ store }) => {
        const before = { createdAtMs: 1 };
        const [copy, saved, other] = ["copy", "saved", "other"].map((name) => replica(name, before));
        await store.addReplicas(N1, [copy!, saved!, other!]);
        await store.deleteData([copy!.url, saved!.url, other!.url]);
        await store.addReplicas(N1, [saved!]);
        const rows = [copy!, saved!, replica("other", { sha256: B, ...before })];
        expect(await store.setReplicas(N2, rows)).toEqual(["gone", "added", "added"]);
        expect(await all(store)).toEqual(["other", "saved"]);
        // Saved anew behind the deletion, by a store that has forgotten it since.
        const later = { createdAtMs: Date.now() + 3_600_000 };
        expect(await store.setReplicas(N3, [replica("copy", later)])).toEqual(["added"]);
        expect(await store.setReplicas(N2, [copy!])).toEqual(["added"]);
      }),
    );

    test(
      "a copy of one node that was deleted there may come back with another",
      withStore(open, async ({ store }) => {
        await store.addReplicas(N1, [replica("copy")]);
        await store.deleteData([url("copy")], N1);
        expect(await store.setReplicas(N2, [replica("copy", { createdAtMs: 1 })])).toEqual(["added"]);
      }),
    );

    test(
      "data whose last replica was removed is lost until somebody names its url again, and what was deleted is not",
      withStore(open, async ({ store }) => {
        const [gone, kept, deleted] = [replica("gone"), replica("kept"), replica("deleted")];
        await store.addReplicas(N1, [gone, kept, deleted]);
        await store.addReplicas(N2, [kept]);
        await store.removeReplicas(N1, [gone.url, kept.url, url("never")]);
        await store.deleteData([deleted.url]);
        const urls = [gone.url, kept.url, deleted.url, url("never")];
        expect(await store.lostData(urls)).toEqual([true, false, false, false]);
        expect(await store.lostData([])).toEqual([]);
        // Other data may have the url now.
        expect(await store.addReplicas(N2, [replica("gone", { sha256: B })])).toEqual(["added"]);
        expect(await store.lostData(urls)).toEqual([false, false, false, false]);
        await store.setReplicas(N2, []);
        expect(await store.lostData(urls)).toEqual([true, true, false, false]);
        await store.deleteData(urls);
        expect(await store.lostData(urls)).toEqual([false, false, false, false]);
      }),
    );

    test(
      "what a node is listed for is told, all of it",
      withStore(open, async ({ store }) => {
        const rows = Array.from({ length: 1_500 }, (_, at) => replica(`data/${at}`));
        await store.addReplicas(N1, rows);
        await store.addReplicas(N2, rows.slice(0, 2));
        expect((await store.dataOf(N1)).toSorted()).toEqual(rows.map((row) => row.url).toSorted());
        expect((await store.dataOf(N2)).toSorted()).toEqual(["data/0", "data/1"]);
        expect(await store.dataOf(N3)).toEqual([]);
      }),
    );

    test(
      "urls are listed by the order of their bytes, a part at a time",
      withStore(open, async ({ store }) => {
        // By UTF-16 the last two would change places.
        const names = ["a", "a/b", "a/é", "ab", "data/1", "data/10", "data/2", "é", "\uff5e", "𝄞"];
        await store.addReplicas(
          N1,
          names.toReversed().map((name) => replica(name)),
        );
        expect(await all(store)).toEqual(names);
        const list = (prefix: string, after = "", limit = 100) => store.listData({ prefix, after, limit });
        expect(await list("data/")).toEqual(["data/1", "data/10", "data/2"]);
        expect(await list("data/", "data/1", 1)).toEqual(["data/10"]);
        expect(await list("data/", "data/10")).toEqual(["data/2"]);
        expect(await list("data/", "a")).toEqual(["data/1", "data/10", "data/2"]);
        expect(await list("data/", "zzz")).toEqual([]);
        expect(await list("data/1")).toEqual(["data/1", "data/10"]);
        expect(await list("a/é")).toEqual(["a/é"]);
        expect(await list("", "é", 1)).toEqual(["\uff5e"]);
        expect(await list("", "", 0)).toEqual([]);
        expect(await list("none")).toEqual([]);
      }),
    );

    test(
      "data whose last replica is removed leave the catalog, and others may take the url",
      withStore(open, async ({ store }) => {
        await store.addReplicas(N1, [replica("x"), replica("y")]);
        await store.addReplicas(N2, [replica("x")]);
        await store.removeReplicas(N1, [url("x"), url("y"), url("none")]);
        expect(await all(store)).toEqual(["x"]);
        await store.removeReplicas(N1, [url("x")]);
        expect(await store.findData([url("x")])).toMatchObject([{ replicas: [N2] }]);
        expect(await store.addReplicas(N1, [replica("y", { sha256: B })])).toEqual(["added"]);
        expect(await store.drops(N1)).toEqual([]);
      }),
    );

    test(
      "a node that says what it has loses all else, and only that",
      withStore(open, async ({ store }) => {
        await store.addReplicas(N1, [
          replica("gone"),
          replica("shared"),
          replica("stays"),
          replica("changed"),
        ]);
        await store.addReplicas(N2, [replica("shared"), replica("other"), replica("changed")]);
        const rows = [replica("stays"), replica("new"), replica("changed", { sha256: B })];
        expect(await store.setReplicas(N1, rows)).toEqual(["known", "added", "exists"]);
        expect(await all(store)).toEqual(["changed", "new", "other", "shared", "stays"]);
        const found = await store.findData(["shared", "changed", "stays", "new"].map(url));
        expect(found.map((data) => data?.replicas)).toEqual([[N2], [N2], [N1], [N1]]);
        expect(await store.setReplicas(N1, [])).toEqual([]);
        expect(await all(store)).toEqual(["changed", "other", "shared"]);
      }),
    );

    test(
      "a node may have ten thousand data",
      withStore(open, async ({ store }) => {
        const rows = Array.from({ length: 10_000 }, (_, at) => replica(`many/${at}`));
        const replies = await store.setReplicas(N1, rows);
        expect(new Set(replies)).toEqual(new Set(["added"]));
        await store.addReplicas(N2, rows.slice(0, 10));
        await store.setReplicas(N1, rows.slice(-10));
        expect(await store.listData({ prefix: "many/", after: "", limit: 100 })).toHaveLength(20);
        const deleted = await store.deleteData(rows.map((row) => row.url));
        expect(deleted.flat()).toEqual([...Array(10).fill(N2), ...Array(10).fill(N1)]);
      }),
    );

    test(
      "data that are deleted are gone at once, and each node is told what to drop until it has",
      withStore(open, async ({ store }) => {
        await store.addReplicas(N1, [replica("x"), replica("y", { sha256: B })]);
        await store.addReplicas(N2, [replica("x")]);
        const [x, none, y] = await store.deleteData([url("x"), url("none"), url("y")]);
        expect([x?.toSorted(), none, y]).toEqual([[N1, N2], [], [N1]]);
        expect(await all(store)).toEqual([]);
        expect(await store.findData([url("x")])).toEqual([undefined]);
        const drops = (await store.drops(N1)).toSorted((a, b) => a.url.localeCompare(b.url));
        expect(drops).toEqual([
          { url: "x", sha256: A },
          { url: "y", sha256: B },
        ]);
        await store.dropped(N1, [drops[0]!, { url: url("never"), sha256: A }]);
        expect(await store.drops(N1)).toEqual([{ url: "y", sha256: B }]);
        expect(await store.drops(N2)).toEqual([{ url: "x", sha256: A }]);
        expect(await store.drops(N3)).toEqual([]);
      }),
    );

    test(
      "one node's replica can be deleted; when it was the last, the data are gone",
      withStore(open, async ({ store }) => {
        await store.addReplicas(N1, [replica("x")]);
        await store.addReplicas(N2, [replica("x")]);
        expect(await store.deleteData([url("x")], N3)).toEqual([[]]);
        expect(await store.deleteData([url("x")], N1)).toEqual([[N1]]);
        expect(await store.deleteData([url("x")], N1)).toEqual([[]]);
        expect(await store.findData([url("x")])).toMatchObject([{ replicas: [N2] }]);
        expect(await store.drops(N2)).toEqual([]);
        expect(await store.deleteData([url("x")], N2)).toEqual([[N2]]);
        expect(await all(store)).toEqual([]);
      }),
    );

    test(
      "a note to drop data is void when the node has the same data again, and renewed when it is to drop others",
      withStore(open, async ({ store }) => {
        const [first, second] = [replica("x"), replica("x", { sha256: B })];
        await store.addReplicas(N1, [first]);
        await store.deleteData([first.url]);
        await store.addReplicas(N2, [first]);
        expect(await store.drops(N1)).toEqual([{ url: "x", sha256: A }]);
        expect(await store.addReplicas(N1, [second])).toEqual(["exists"]);
        expect(await store.drops(N1)).toEqual([{ url: "x", sha256: A }]);
        expect(await store.addReplicas(N1, [first])).toEqual(["added"]);
        expect(await store.drops(N1)).toEqual([]);

        await store.deleteData([first.url]);
        await store.addReplicas(N1, [second]);
        expect(await store.drops(N1)).toEqual([{ url: "x", sha256: A }]);
        await store.deleteData([second.url]);
        await store.dropped(N1, [{ url: first.url, sha256: A }]);
        expect(await store.drops(N1)).toEqual([{ url: "x", sha256: B }]);
      }),
    );
  });
}
