import { expect, test } from "vitest";
import { capture, captureParts } from "../../src/capture/capture.ts";
import { revive } from "../../src/capture/revive.ts";
import { isData } from "../../src/capture/wire/is-data.ts";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";

const at = (dataUrl: string): RemoteData => new RemoteData({ dataUrl });
const pointersOf = (value: unknown): readonly string[] => captureParts(value).pointers;

test("a pointer travels as a few bytes, and arrives as one", () => {
  const bytes = capture(at("mylarge/dataset"));
  expect(bytes.length).toBeLessThan(150);
  const back = revive(bytes) as RemoteData;
  expect(back).toBeInstanceOf(RemoteData);
  expect(back.dataUrl).toBe("mylarge/dataset");
  expect(Object.keys(back)).toEqual(["dataUrl"]);
});

test("a codec that it was given goes along, and only what was given", () => {
  const given = new RemoteData({ dataUrl: "rows.json", codec: "json" });
  const back = revive(capture(given)) as RemoteData;
  expect(Object.entries(back)).toEqual([
    ["dataUrl", "rows.json"],
    ["codec", "json"],
  ]);
  expect(capture(new RemoteData({ dataUrl: "rows.json", codec: undefined }))).toEqual(
    capture(at("rows.json")),
  );
});

class Holder {
  readonly #hidden: RemoteData;
  readonly shown: unknown;
  constructor(hidden: RemoteData, shown: unknown) {
    this.#hidden = hidden;
    this.shown = shown;
  }
  get urls(): unknown[] {
    return [this.#hidden.dataUrl, this.shown instanceof RemoteData];
  }
}

class Named extends RemoteData {
  readonly label: string;
  constructor(dataUrl: string, label: string) {
    super({ dataUrl });
    this.label = label;
  }
}

test("pointers are found wherever they are, each once", () => {
  expect(pointersOf([at("a"), { b: at("b"), again: at("a") }])).toEqual(["a", "b"]);
  expect(pointersOf(new Map([[at("key"), new Set([at("item")])]]))).toEqual(["key", "item"]);
  expect(pointersOf(new Error("x", { cause: at("cause") }))).toEqual(["cause"]);
  expect(pointersOf(Object.create(null, { x: { value: at("hidden") } }))).toEqual(["hidden"]);
  const [free, held] = [at("free"), { inner: [at("held")] }];
  expect(pointersOf(() => [free, held])).toEqual(["free", "held"]);
  const holder = new Holder(at("private"), at("public"));
  expect(pointersOf(holder).toSorted()).toEqual(["private", "public"]);
  expect((revive(capture(holder)) as Holder).urls).toEqual(["private", true]);
  expect(pointersOf([1, "x", new Date()])).toEqual([]);
});

test("an instance of a class that extends it is a pointer with more to it", () => {
  const named = new Named("x", "label");
  expect(pointersOf(named)).toEqual(["x"]);
  expect(revive(capture(named))).toMatchObject({ dataUrl: "x", label: "label" });
});

test("what is not saved is refused with the way to it", () => {
  const table = new RemoteData({ obj: 1 });
  expect(() => captureParts([{ table }], { rootName: "args" })).toThrow(
    "Cannot send the RemoteData at args[0] → .table: it is not saved (await its save() first)",
  );
  expect(() => captureParts(() => table)).toThrow(
    'Cannot send the RemoteData at captured "table": it is not saved (await its save() first)',
  );
});

test("a function is asked anew each time what it points to", () => {
  let table = at("first");
  const fn = (): RemoteData => table;
  expect([pointersOf(fn), pointersOf(fn)]).toEqual([["first"], ["first"]]);
  table = at("second");
  expect(pointersOf(fn)).toEqual(["second"]);
  const bare = (): number => 1;
  expect([pointersOf(bare), pointersOf(bare)]).toEqual([[], []]);
});

test("pointers among data are data: reviving them runs no code of the sender's", () => {
  const isAllData = (value: unknown): boolean => isData(captureParts(value).graph);
  expect(isAllData([at("a"), { b: [at("b"), new Date(0)] }, new Map([["c", new Set([at("c")])]])])).toBe(
    true,
  );
  expect(isAllData(Object.assign([at("a")], { length: 5 }))).toBe(true);
  expect(isAllData([new RemoteData({ dataUrl: "a", codec: "json" })])).toBe(true);
  const table = at("a");
  expect(isAllData([table, () => table])).toBe(false);
  expect(isAllData([table, RemoteData])).toBe(false);
  expect(isAllData([table, process.exit])).toBe(false);
  expect(isAllData(Object.defineProperty({ table }, "x", { get: () => 1 }))).toBe(false);
  expect(isAllData([table, new Named("b", "label")])).toBe(false);
});
