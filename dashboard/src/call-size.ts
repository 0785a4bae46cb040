import { bytes } from "./format.ts";

/** As the node tells it; sizes are in bytes, and null for what is not kept any more. */
export interface CallSize {
  readonly argumentBytes: number;
  readonly codec: string;
  readonly functionBytes: number | null;
  readonly unitBytes: readonly (number | null)[];
}

/** How large a call is, as rows of names and texts. */
export function callRows(call: CallSize | null | undefined): readonly (readonly [string, string])[] {
  if (call === undefined) return [];
  if (call === null) return [["Arguments", "size not kept after success"]];
  const { argumentBytes, codec, functionBytes, unitBytes } = call;
  const rows: [string, string][] = [["Arguments", `${bytes(argumentBytes)}, as ${codec}`]];
  if (functionBytes !== null) rows.push(["Function, with its variables", bytes(functionBytes)]);
  if (unitBytes.length > 0) rows.push(["Code", codeText(unitBytes)]);
  return rows;
}

function codeText(unitBytes: CallSize["unitBytes"]): string {
  const kept = unitBytes.filter((size) => size !== null);
  const sum = kept.reduce((total, size) => total + size, 0);
  const units = unitBytes.length === 1 ? "1 unit" : `${unitBytes.length} units`;
  const lost = unitBytes.length - kept.length;
  return lost === 0 ? `${bytes(sum)} in ${units}` : `${units}, of which ${lost} not kept any more`;
}
