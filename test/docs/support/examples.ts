/** What the examples of docs/reference and the fragments of docs/closures.md take for granted. */
export const AROUND = `
import type { Client, Job, RemoteData } from "kitchensink";
import type { StandardSchema } from "kitchensink/functions";

declare global {
  type Row = readonly number[];
  type Report = { readonly lines: number };
  const c: Client;
  const client: Client;
  const id: string;
  const job: Job<number>;
  const jobs: readonly Job<number>[];
  const rows: number[];
  const table: RemoteData<number[]>;
  const shop: { buy(item: string): Job<void> };
  const files: readonly string[];
  const hugeFile: string;
  let total: number;
  const z: { object(shape: object): StandardSchema<{ width: number }>; number(): object };
  function expect(value: unknown): { toBe(expected: unknown): void };
  function handle(row: unknown): void;
  function load(): Promise<readonly string[]>;
  function loadTable(name: string): Row[];
  function lowest(rows: readonly number[]): number;
  function sum(rows: readonly number[]): number;
  function count(rows: readonly number[]): number;
  function sumOf(rows: Row[]): number;
  function linesOf(file: string): AsyncIterable<string>;
  function sizeOf(line: string): number;
  function render(file: string): string;
  function train(model: string): Promise<string>;
  function trainFor(time: string): Promise<string>;
  function setTimeout(ms: number, value: undefined, options: { readonly signal: AbortSignal }): Promise<void>;
}
`;

/** A package that is not installed here. */
export const CODEC_PACKAGE = `declare module "cbor-x" {
  export function encode(value: unknown): Uint8Array;
  export function decode(bytes: Uint8Array): unknown;
}
`;
