import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { parseSha256 } from "../../src/core/data.ts";
import { KitchenError } from "../../src/core/errors.ts";
import { parseDataUrl } from "../../src/core/data-url.ts";
import { DataDirectory } from "../../src/data/directory.ts";
import type { Arrived } from "../../src/data/types.ts";
import { Replicas } from "../../src/node/data/replicas.ts";
import type { Store } from "../../src/store/port.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import { DEFAULTS, N1, N2 } from "../store/support/harness.ts";

const URL = parseDataUrl("data/table");

interface Scene {
  readonly store: Store;
  readonly replicas: Replicas;
  readonly arrive: () => Promise<Arrived>;
  readonly isHere: () => boolean;
  /** The answers of the catalog to those who enter something are lost; it does what it is told, or does not. */
  readonly breakOff: (reached: "before" | "behind") => void;
  readonly mend: () => void;
  /** Is done when the catalog was asked what is to go, and before anybody hears of it. */
  readonly whileDropping: (act: () => Promise<unknown>) => void;
  readonly quarantined: () => string[];
  readonly warnings: readonly string[];
}

/** The files and the catalog of the node n2. */
async function scene(): Promise<Scene> {
  const root = await mkdtemp(join(tmpdir(), "kitchensink-replicas-"));
  const directory = await DataDirectory.open({ path: root, cluster: "test", warn: () => {} });
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  onTestFinished(async () => {
    await directory.close();
    await store.close();
    await rm(root, { recursive: true });
  });
  const warnings: string[] = [];
  let meanwhile: (() => Promise<unknown>) | undefined;
  let broken: "before" | "behind" | undefined;
  const breaking =
    <Args extends unknown[], Reply>(act: (...args: Args) => Promise<Reply>) =>
    async (...args: Args): Promise<Reply> => {
      const reply = broken === "before" ? undefined : await act(...args);
      if (reply === undefined || broken !== undefined) throw new KitchenError("KS_UNAVAILABLE", "cut");
      return reply;
    };
  const catalog = new Proxy(store, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver);
      if (typeof found !== "function") return found;
      const method = found.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (name !== "drops") return name === "addReplicas" || name === "addCopies" ? breaking(method) : method;
      return async (...args: unknown[]) => {
        const drops = await method(...args);
        const act = meanwhile;
        meanwhile = undefined;
        await act?.();
        return drops;
      };
    },
  });
  return {
    store,
    replicas: new Replicas({ node: N2, directory, catalog, warn: (warning) => void warnings.push(warning) }),
    arrive: () => directory.receive(Readable.from(["bytes"]), { url: URL, codec: null, type: "file" }),
    isHere: () => existsSync(directory.pathOf(URL)),
    breakOff: (reached) => (broken = reached),
    mend: () => (broken = undefined),
    whileDropping: (act) => (meanwhile = act),
    quarantined: () => {
      const folder = join(root, ".kitchensink/quarantine");
      return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name), "utf8")] : [],
      );
    },
    warnings,
  };
}

async function holders(store: Store): Promise<readonly string[]> {
  const [record] = await store.findData([URL]);
  return record?.replicas.toSorted() ?? [];
}

test("a copy that has arrived when its data are deleted does not bring them back", async () => {
  const { store, replicas, arrive, isHere } = await scene();
  const arrived = await arrive();
  await store.addReplicas(N1, [arrived.replica]);
  await store.deleteData([URL]);
  await expect(replicas.enterFetched(arrived)).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  expect(isHere()).toBe(false);
  expect(await holders(store)).toEqual([]);
});

test("a copy whose entry broke off is entered later, when the data are still there", async () => {
  const { store, replicas, arrive, isHere, breakOff, mend } = await scene();
  const arrived = await arrive();
  await store.addReplicas(N1, [arrived.replica]);
  breakOff("before");
  await expect(replicas.enterFetched(arrived)).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  await expect(replicas.lookAfter()).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  mend();
  await replicas.lookAfter();
  expect(isHere()).toBe(true);
  expect(await holders(store)).toEqual([N1, N2]);
});

test("a copy whose entry broke off goes when the data were deleted meanwhile", async () => {
  const { store, replicas, arrive, isHere, breakOff, mend } = await scene();
  const arrived = await arrive();
  await store.addReplicas(N1, [arrived.replica]);
  breakOff("before");
  await expect(replicas.enterFetched(arrived)).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  mend();
  await store.deleteData([URL]);
  // When the node joins again, it says all that it has.
  await replicas.enterAll();
  expect(isHere()).toBe(false);
  expect(await holders(store)).toEqual([]);
});

test("a node that was killed with a copy which nobody knows of does not bring back data deleted meanwhile", async () => {
  const { store, replicas, arrive, isHere } = await scene();
  const arrived = await arrive();
  await store.addReplicas(N1, [arrived.replica]);
  await store.deleteData([URL]);
  await replicas.enterAll();
  expect(isHere()).toBe(false);
  expect(await holders(store)).toEqual([]);
});

test.each([
  ["goes when the catalog did not hear of it", "before", []],
  ["stays when the catalog did", "behind", [N2]],
] as const)("what was saved and not answered %s", async (_, reached, expected) => {
  const { store, replicas, arrive, isHere, breakOff, mend } = await scene();
  breakOff(reached);
  await expect(replicas.enter(await arrive())).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  mend();
  await replicas.lookAfter();
  expect(isHere()).toBe(expected.length > 0);
  expect(await holders(store)).toEqual(expected);
});

test("who comes again with what was not answered saves it", async () => {
  const { store, replicas, arrive, isHere, breakOff, mend } = await scene();
  breakOff("before");
  for (let time = 0; time < 2; time += 1)
    await expect(replicas.enter(await arrive())).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  mend();
  await replicas.enter(await arrive());
  await replicas.lookAfter();
  expect(isHere()).toBe(true);
  expect(await holders(store)).toEqual([N2]);
});

test("what is saved anew while its deletion is carried out stays, and is dropped when it is deleted again", async () => {
  const { store, replicas, arrive, isHere, whileDropping } = await scene();
  await replicas.enter(await arrive());
  await store.deleteData([URL]);
  whileDropping(async () => replicas.enter(await arrive()));
  await replicas.dropNoted();
  expect(isHere()).toBe(true);
  expect(await holders(store)).toEqual([N2]);
  await store.deleteData([URL]);
  await replicas.dropNoted();
  expect(isHere()).toBe(false);
  expect(await store.drops(N2)).toEqual([]);
});

test("a node whose file has a url that is other data's in the cluster that it joins puts it aside, and says where", async () => {
  const { store, replicas, arrive, isHere, quarantined, warnings } = await scene();
  const { replica } = await arrive();
  await store.addReplicas(N1, [{ ...replica, sha256: parseSha256("a".repeat(64)) }]);
  await replicas.enterAll();
  expect(isHere()).toBe(false);
  expect(quarantined()).toEqual(["bytes"]);
  expect(warnings).toEqual([
    expect.stringMatching(/other data is saved under data\/table .* is .*quarantine/),
  ]);
  expect(await holders(store)).toEqual([N1]);
  // From now on it can have a copy of what the cluster means.
  await replicas.enterAll();
  expect(await store.dataOf(N2)).toEqual([]);
});

test("a file that was here before and cannot be entered stays where it is, and is not read as data any more", async () => {
  const { store, replicas, arrive, isHere } = await scene();
  const { replica } = await arrive();
  await store.addReplicas(N1, [{ ...replica, sha256: parseSha256("a".repeat(64)) }]);
  await expect(replicas.enter({ replica, isKnown: true })).rejects.toMatchObject({ code: "KS_DATA_EXISTS" });
  expect(isHere()).toBe(true);
  await replicas.enterAll();
  expect(await store.dataOf(N2)).toEqual([]);
  expect(isHere()).toBe(true);
});
