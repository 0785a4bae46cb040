/** Values of users, which only workers and clients decode. */
import { RemoteData } from "../../../src/client/remote-data/remote-data.ts";
import { capture, captureParts } from "../../../src/capture/capture.ts";
import { revive } from "../../../src/capture/revive.ts";
import { isData } from "../../../src/capture/wire/is-data.ts";
import { decodeUnit } from "../../../src/capture/wire/units.ts";
import { unbundle } from "../../../src/capture/wire/wire.ts";
import { jsonCodec } from "../../../src/codec/json.ts";
import { pointersInJson } from "../../../src/codec/json-pointers.ts";
import { structuredCodec } from "../../../src/codec/structured.ts";
import { parseSpec } from "../../../src/codec/wire.ts";
import { json, packed, structured, tagged } from "../support/made.ts";
import type { Recordings } from "../support/recordings.ts";
import type { Target } from "../support/target.ts";

const CLIENT = { data: { access: {} } } as never;
const POINTER = new RemoteData({ dataUrl: "some/data", client: CLIENT });
const WITH_CODEC = new RemoteData({ dataUrl: "some/rows.json", codec: "json", client: CLIENT });
const VALUES: readonly unknown[] = [
  { a: [1, "text", null, true, 1.5, -0], b: { c: {} } },
  [POINTER, { deep: [POINTER, WITH_CODEC] }],
  JSON.parse('{"__proto__":{"polluted":1},"toString":2}'),
  "text",
  0,
];
const RICH: readonly unknown[] = [
  new Map([[1, new Set([2n])]]),
  new Date(0),
  /a+/g,
  new Float64Array(2),
  new TypeError("x"),
];

/** Graphs of all kinds that nothing has to be fetched for. */
function graphs({ specs }: Recordings): Uint8Array[] {
  const cycle: Record<string, unknown> = { list: [1] };
  cycle["self"] = cycle;
  class Point {
    readonly #x = 1;
    get x(): number {
      return this.#x;
    }
  }
  const alone = [
    ...VALUES.slice(2),
    ...RICH,
    cycle,
    new Point(),
    () => 1,
    (x: number) => x * RICH.length,
    Symbol.for("x"),
    new URL("http://a/"),
  ];
  return [
    ...alone.map((value) => capture(value)),
    ...specs
      .map(parseSpec)
      .flatMap(({ codec, args, fn }) => (codec === "closure" ? [args, ...(fn === null ? [] : [fn])] : [])),
  ];
}

const ofCodec =
  (name: string) =>
  ({ specs }: Recordings) =>
    specs.map(parseSpec).flatMap(({ codec, args }) => (codec === name ? [Buffer.from(args)] : []));

export const codecTargets: readonly Target[] = [
  {
    name: "codec-json",
    refusals: ["KS_CANNOT_DECODE", "KS_BAD_REQUEST"],
    recordings: (recordings) =>
      [...VALUES.map((value) => jsonCodec.encode(value)), ...ofCodec("json")(recordings)].filter(
        ({ length }) => length > 0,
      ),
    made: json,
    read: (input) => jsonCodec.decode(input),
  },
  {
    name: "json-pointers",
    refusals: [],
    recordings: () => VALUES.slice(0, 3).map((value) => jsonCodec.encode(value)),
    made: json,
    read: (input) => [...pointersInJson(input)],
  },
  {
    name: "codec-structured",
    refusals: ["KS_CANNOT_DECODE", "KS_BAD_REQUEST"],
    recordings: (recordings) => [
      ...[...VALUES, ...RICH].map((value) => structuredCodec.encode(value)),
      ...ofCodec("structured")(recordings),
    ],
    made: structured,
    read: (input) => structuredCodec.decode(input),
  },
  {
    name: "graph-msgpack",
    refusals: ["KS_CANNOT_DECODE"],
    recordings: (recordings) => graphs(recordings).filter(([tag]) => tag === 1),
    made: tagged(1, packed),
    read: (input) => revive(input),
  },
  {
    name: "graph",
    refusals: ["KS_CANNOT_DECODE", "KS_CANNOT_CAPTURE", "KS_BAD_REQUEST", "KS_MODULE_FAILED", "KS_USAGE"],
    recordings: graphs,
    made: tagged(2, structured),
    read: (input) => revive(input),
  },
  {
    name: "graph-is-data",
    refusals: ["KS_CANNOT_DECODE"],
    recordings: graphs,
    made: tagged(3, structured),
    read: (input) => {
      isData(input);
      unbundle(input);
    },
  },
  {
    name: "code-unit",
    refusals: ["KS_CANNOT_DECODE"],
    recordings: () =>
      captureParts([
        (a: number) => a,
        class A {
          readonly a = 1;
        },
      ]).units.map(({ bytes }) => bytes),
    made: json,
    read: (input) => decodeUnit(input),
  },
];
